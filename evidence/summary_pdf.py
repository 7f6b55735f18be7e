"""A case on paper: facts, photos and files with their hashes in Chinese and English; the only door to fpdf2."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from io import BytesIO

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.errors import FPDFException

from evidence.databar import FONT_FILE, Field
from evidence.errors import EvidenceError
from evidence.manifest import SealedFile

FONT = "noto"
LABEL_MM, LINE_MM = 52.0, 5.2
PHOTO_HIGH_MM = 92.0
GREY = 110

HOW_TO_VERIFY = (
    "核验 How to verify: 'stopline evidence verify data/evidence/{case} --trust KEYS'; KEYS 须由签发机关另行提供，不取自本包 "
    "(KEYS are had from the signer, not from this package). 不用本软件 Without Stopline: sha256sum, openssl; 见 see "
    "docs/custody.md. 本文仅供阅读，证据以签名清单为准 This paper is for reading; the evidence is what the signed manifest lists."
)

logging.getLogger("fpdf").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)
"""Both tell at length what they do with a font."""


class SummaryError(EvidenceError):
    """The summary of ``case_id`` cannot be made; ``why`` says why."""

    code = "summary"

    def __init__(self, case_id: str, why: str) -> None:
        super().__init__(f"case {case_id}: its summary cannot be made: {why}")
        self.case_id = case_id
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture of the summary (JPEG or PNG) and what stands below it."""

    data: bytes
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """What the summary of a case says, in its order."""

    case_id: str
    facts: tuple[Field, ...]
    decision: tuple[Field, ...]
    custody: tuple[Field, ...]
    pictures: tuple[Shown, ...]
    files: tuple[SealedFile, ...]


def summary_pdf(summary: CaseSummary, made_at: datetime) -> bytes:
    """A PDF on A4 with its font embedded; equal input gives equal bytes. Raises SummaryError."""
    with as_file(files("evidence") / "fonts" / FONT_FILE) as font:
        try:
            paper = _Paper(summary.case_id)
            paper.set_creation_date(made_at)
            paper.add_font(FONT, fname=font)
            paper.add_page()
            paper.banner()
            paper.facts("案情 Case", summary.facts)
            paper.facts("决定 Decision", summary.decision)
            paper.facts("保管 Custody", summary.custody)
            for shown in summary.pictures:
                paper.picture(shown)
            paper.listing(summary.files)
            paper.small(HOW_TO_VERIFY.format(case=summary.case_id))
            return bytes(paper.output())
        except (FPDFException, OSError, ValueError) as exc:
            raise SummaryError(summary.case_id, str(exc)) from exc


class _Paper(FPDF):
    def __init__(self, case_id: str) -> None:
        super().__init__(format="A4")
        self._case_id = case_id
        self.set_auto_page_break(True, margin=16)
        self.set_title(case_id)

    def footer(self) -> None:
        self.set_y(-12)
        self.set_font(FONT, size=8)
        self.set_text_color(GREY)
        self.cell(0, 5, f"{self._case_id}  ·  {self.page_no()}", align="C")
        self.set_text_color(0)

    def banner(self) -> None:
        self.set_font(FONT, size=15)
        self.cell(0, 9, "案件摘要 Case summary", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def heading(self, text: str) -> None:
        self.ln(2)
        self.set_font(FONT, size=11)
        self.cell(0, 7, text, border="B", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)

    def facts(self, heading: str, fields: Sequence[Field]) -> None:
        self.heading(heading)
        self.set_font(FONT, size=9)
        for field in fields:
            if self.will_page_break(LINE_MM):
                self.add_page()
                self.set_font(FONT, size=9)
            self.set_text_color(GREY)
            self.cell(LABEL_MM, LINE_MM, field.label)
            self.set_text_color(0)
            self.multi_cell(0, LINE_MM, field.value, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def picture(self, shown: Shown) -> None:
        if self.will_page_break(PHOTO_HIGH_MM + 10):
            self.add_page()
        self.ln(3)
        self.image(BytesIO(shown.data), x=self.l_margin, w=self.epw, h=PHOTO_HIGH_MM, keep_aspect_ratio=True)
        self.set_font(FONT, size=8)
        self.multi_cell(0, 5, shown.caption, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def listing(self, sealed: Sequence[SealedFile]) -> None:
        self.heading("文件 Files")
        self.set_font(FONT, size=7)
        for file in sealed:
            self.multi_cell(
                0,
                4,
                f"{file.name}  {file.size} B\n{file.sha256}",
                align="L",
                new_x=XPos.LMARGIN,
                new_y=YPos.NEXT,
            )

    def small(self, text: str) -> None:
        self.ln(3)
        self.set_font(FONT, size=8)
        self.multi_cell(0, 4.5, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
