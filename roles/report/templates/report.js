/* SPDX-License-Identifier: GPL-3.0-or-later
 * The page of up to some hundred boxes; after common.js. */
(function () {
  'use strict';
  var boxes = Array.prototype.slice.call(document.querySelectorAll('#list > .box'));
  var filter = document.getElementById('filter');
  var query = document.getElementById('q');
  var count = document.getElementById('count');
  var chips = Array.prototype.slice.call(filter.querySelectorAll('[data-state]'));
  var openAll = document.getElementById('openall');
  var state = '';
  var titles = {};

  /* The titles of findings stand once in the page, not with every box that has them. */
  function searched(box) {
    return fleet.fold(box.dataset.q) + box.dataset.f.split(' ').map(function (key) {
      if (!(key in titles)) {
        var found = document.getElementById('f-' + key);
        titles[key] = found ? ' ' + fleet.fold(found.querySelector('summary b').textContent + ' ' + found.querySelector('.id').textContent) : '';
      }
      return titles[key];
    }).join('');
  }

  function apply() {
    var words = fleet.fold(query.value).split(/\s+/).filter(Boolean);
    var shown = 0;
    boxes.forEach(function (box) {
      var text = searched(box);
      var fits = (!state || box.dataset.state === state) && words.every(function (word) { return text.indexOf(word) >= 0; });
      box.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    chips.forEach(function (chip) { chip.setAttribute('aria-pressed', String(chip.dataset.state === state)); });
    count.textContent = count.dataset.text.replace('{n}', shown).replace('{total}', boxes.length);
  }

  function choose(wanted) {
    state = wanted;
    apply();
  }

  function follow() {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || target.tagName !== 'DETAILS') { return; }
    if (target.hidden) { query.value = ''; choose(''); }
    target.open = true;
    target.scrollIntoView();
    target.querySelector('summary').focus({preventScroll: true});
  }

  filter.hidden = boxes.length < 2;
  fleet.filters(filter, query, chips, apply, function () { return state; }, choose);
  openAll.addEventListener('click', function () {
    var open = !openAll.dataset.open;
    var word = openAll.textContent;
    boxes.forEach(function (box) { box.open = open && !box.hidden; });
    openAll.dataset.open = open ? '1' : '';
    openAll.textContent = openAll.dataset.close;
    openAll.dataset.close = word;
  });

  /* Paper cannot be unfolded: print what matters of small fleets. */
  var opened = [];
  addEventListener('beforeprint', function () {
    opened = boxes.length > 60 ? [] : Array.prototype.slice.call(document.querySelectorAll('details:not([open])'));
    opened.forEach(function (each) { each.open = true; });
  });
  addEventListener('afterprint', function () { opened.forEach(function (each) { each.open = false; }); });

  addEventListener('hashchange', follow);
  apply();
  if (boxes.length === 1) { boxes[0].open = true; }
  follow();
}());
