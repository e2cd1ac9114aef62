"""A report as JSON: all that the page says. It counts nothing."""

import json
from dataclasses import asdict

from ..runtime.report.values import Report

VERSION = 1


def report_json(report: Report) -> str:
    """The report as text; what is not known is null, what there is none of is empty, and `lacks` says why."""
    return json.dumps({"mixc_report": VERSION, **asdict(report)}, indent=2, ensure_ascii=False)
