/* SPDX-License-Identifier: GPL-3.0-or-later
 * The first page of a fleet that is too large for one page: rows are made of the data in the page; after common.js. */
(function () {
  'use strict';
  var data = JSON.parse(document.getElementById('rows').textContent);
  var filter = document.getElementById('filter');
  var query = document.getElementById('q');
  var count = document.getElementById('count');
  var list = document.getElementById('list');
  var which = document.getElementById('which');
  var chips = Array.prototype.slice.call(filter.querySelectorAll('[data-state]'));
  var language = document.documentElement.lang;
  var state = '';
  var findings = data.findings.map(fleet.fold);
  var rows = data.rows.map(function (row) {
    var each = {host: row[0], name: row[1], state: data.states[row[2]], version: data.versions[row[3]],
      href: data.files[row[4]] + '#b' + row[5], message: data.messages[row[6]] || ''};
    each.look = data.done.indexOf(each.state) < 0;
    each.text = fleet.fold([each.host, each.name, each.version, each.message].join(' '));
    each.findings = row[7];
    return each;
  });

  function cell(kind, text) {
    var made = document.createElement(kind);
    made.textContent = text;
    return made;
  }

  function line(each) {
    var made = document.createElement('tr');
    var head = cell('th', '');
    var link = cell('a', each.host);
    var result = cell('td', ' ' + data.words[each.state]);
    var icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    var use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    made.className = 's-' + each.state;
    head.scope = 'row';
    link.href = each.href;
    head.appendChild(link);
    if (each.name) { head.appendChild(document.createTextNode(' ')); head.appendChild(cell('small', each.name)); }
    icon.setAttribute('class', 'i');
    icon.setAttribute('aria-hidden', 'true');
    use.setAttribute('href', '#i-' + each.state);
    icon.appendChild(use);
    result.className = 'state';
    result.insertBefore(icon, result.firstChild);
    [head, result, cell('td', each.version), cell('td', each.message)].forEach(function (part) { made.appendChild(part); });
    return made;
  }

  function number(value) { return value.toLocaleString(language); }

  function apply() {
    var words = fleet.fold(query.value).split(/\s+/).filter(Boolean);
    var any = words.length || state;
    var found = rows.filter(function (each) {
      return (any ? !state || each.state === state : each.look) && words.every(function (word) {
        return each.text.indexOf(word) >= 0 || each.findings.some(function (index) { return findings[index].indexOf(word) >= 0; });
      });
    });
    list.textContent = '';
    found.slice(0, data.most).forEach(function (each) { list.appendChild(line(each)); });
    which.textContent = (any ? '' : which.dataset.look + ' ') + (found.length > data.most ? which.dataset.rest.replace('{n}', number(found.length - data.most)) : '');
    chips.forEach(function (chip) { chip.setAttribute('aria-pressed', String(chip.dataset.state === state)); });
    count.textContent = count.dataset.text.replace('{n}', number(found.length)).replace('{total}', number(rows.length));
  }

  function choose(wanted) {
    state = wanted;
    apply();
  }

  filter.hidden = false;
  fleet.filters(filter, query, chips, apply, function () { return state; }, choose);
  apply();
}());
