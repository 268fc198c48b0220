#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: report
short_description: Write the report of a fleet from its journals
version_added: 0.1.0
author: jeedom.fleet contributors (@jeedom-fleet)
description:
  - Writes C(index.html) (one page that needs no network), C(report.json), C(report.csv) and C(junit.xml) from the journals and records below the
    artifacts folder on the controller (variable C(jeedom_artifacts), default C(./artifacts)).
  - Runs once on the controller; no box is contacted. May be used at any time, also while a migration is running elsewhere.
  - The fields of the files are described in C(docs/reference/report-schema.md).
extends_documentation_fragment:
  - jeedom.fleet.attributes
attributes:
  check_mode:
    support: full
    details: Returns the numbers and writes no file in check mode.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Never reports a change. A report carries its time.
options:
  language:
    description:
      - Language of the page.
      - Taken from the variable C(jeedom_language) when it is not given, else that of the newest run.
    type: str
    choices: [en, fr]
  dest:
    description:
      - Folder for the files, created when missing. Default is C(report) in the artifacts folder.
    type: path
  sources:
    description:
      - Artifacts folders of other controllers (job slices, C(ansible-runner) workers) to be merged into this report. Of a box that is in
        several, the newer journal counts.
    type: list
    elements: path
    default: []
seealso:
  - module: jeedom.fleet.record
'''

EXAMPLES = r'''
- name: Write the report in French
  jeedom.fleet.report:
    language: fr

- name: One report over what two workers have done
  jeedom.fleet.report:
    sources:
      - /srv/worker1/artifacts
      - /srv/worker2/artifacts
'''

RETURN = r'''
files:
  description: Paths of the files by kind, empty in check mode.
  returned: success
  type: dict
  sample: {html: /srv/artifacts/report/index.html, json: /srv/artifacts/report/report.json}
summary:
  description: Numbers of the fleet, as C(summary) in C(report.json).
  returned: success
  type: dict
outcomes:
  description: Outcome by box, V(null) for boxes without one.
  returned: success
  type: dict
next:
  description: The command to go on with, or V(null) when nothing is left to do.
  returned: success
  type: str
error_code:
  description: V(no_journal) or V(artifacts_not_writable).
  returned: failure
  type: str
'''
