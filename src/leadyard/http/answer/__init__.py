"""Answers: the envelope, errors, paging."""
