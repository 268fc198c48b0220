/* SPDX-License-Identifier: GPL-3.0-or-later
 * Everything works without scripts, except filters and the theme. */
var fleet = (function () {
  'use strict';
  var root = document.documentElement;
  var theme = document.getElementById('theme');
  theme.hidden = false;
  theme.addEventListener('click', function () {
    var dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
  });
  return {
    fold: function (text) { return text.toLowerCase().normalize('NFD').replace(/[\u0300-\u036f]/g, ''); },
    /* The search, its chips and the tiles. apply(): show what fits; state(): what is chosen; choose(state): choose another. */
    filters: function (filter, query, chips, apply, state, choose) {
      filter.addEventListener('submit', function (event) { event.preventDefault(); });
      query.addEventListener('input', apply);
      chips.forEach(function (chip) {
        chip.addEventListener('click', function () { choose(chip.dataset.state === state() ? '' : chip.dataset.state); });
      });
      document.querySelectorAll('.tile').forEach(function (tile) {
        tile.addEventListener('click', function () { choose(tile.dataset.state); });
      });
    }
  };
}());
