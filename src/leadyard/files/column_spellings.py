"""Names of columns, in addition to the spellings in the table of fields: the rules to compare and to combine them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

CUSTOM_PREFIX = "customFields."

_MAX_CHARS = 200
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)")
_TWO_WORDS = re.compile(r"\b(e|linked)[ _-](?=mail|in\b)|\b(e)[-_](?=post|past)")
_WHATSAPP = re.compile(r"\bwhats app\b")
# `Participant's name`, and the quote in a Hebrew abbreviation.
_QUOTES = re.compile("['’]s\\b|(?<=[\u05d0-\u05ea])[\"'״׳](?=[\u05d0-\u05ea])")
_B2B = re.compile(r"\bb2b\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
# Letters that Unicode does not decompose, and that people write without their stroke where the keyboard lacks them.
_STROKES = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ħ": "h"})


@lru_cache(maxsize=8_192)
def column_key(name: str) -> str:
    """Returns the part of a column's name that is compared: its letters and digits, without case, accents, width or
    ligatures.

    So `First Name`, `first_name`, `firstName` and `FIRST-NAME` are the same, and `Prénom` and `prenom`. Only the first
    200 characters count.
    """
    return "".join(filter(str.isalnum, _folded(name[:_MAX_CHARS])))


@lru_cache(maxsize=8_192)
def column_words(name: str) -> tuple[str, ...]:
    """Returns the words of a column's name, without case and accents. A number is a word: `email2` has two."""
    plain = _QUOTES.sub("", unicodedata.normalize("NFKC", name[:_MAX_CHARS]))
    spaced = _HUMPS.sub(" ", _B2B.sub("business", plain))
    return tuple(_WORD.findall(_separated(_WHATSAPP.sub("whatsapp", _TWO_WORDS.sub(r"\1\2", _folded(spaced))))))


def custom_column_name(custom_field: str) -> str:
    """Returns the header that an export writes for a custom field, by which an import recognises it again."""
    return CUSTOM_PREFIX + custom_field


def _folded(text: str) -> str:
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_STROKES)
    return "".join(char for char in plain if not unicodedata.combining(char))


def _separated(text: str) -> str:
    """Returns a name in Chinese, Japanese or Korean with spaces between the words that matter here."""
    return text if text.isascii() else _UNSPACED.sub(r" \1 ", text)


# The longest first. Such names have no spaces: `勤務先電話番号`.
_UNSPACED_WORDS = (
    "メールアドレス 電子メール メール 電子郵件 电子邮件 电子邮箱 邮箱 邮件 電郵 电邮 이메일 "
    "アドレス 行動電話 携帯電話 携帯 電話番号 電話 移动电话 电话号码 电话 手机号码 手机 手機 "
    "휴대폰 휴대전화 전화번호 전화 "
    "勤務先 会社 職場 工作 公司 办公 企业 联系 聯絡 您的 個人 个人 私人 自宅 회사 직장 개인 자택"
)
_UNSPACED = re.compile(f"({'|'.join(map(_folded, _UNSPACED_WORDS.split()))})")
