"""What a person says about the files they give."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from console.costs.models import Mode

MOST_FILES = 50


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class FilesField(forms.FileField):
    """One file or several."""

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        given = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(each, initial) for each in given or [None]]


class ImportForm(forms.Form):
    """The files of one bill, and what their rows do not say."""

    bills = FilesField(
        label="Billing files",
        widget=FilesInput(attrs={"multiple": True, "accept": ".csv,.tsv,.gz,.parquet,.txt"}),
        help_text="CSV, TSV or Parquet, also in gzip. Files given together are one bill.",
    )
    mode = forms.ChoiceField(
        label="What the files do", choices=Mode.choices, initial=Mode.REPLACE, widget=forms.RadioSelect
    )
    provider = forms.CharField(
        required=False, max_length=64, help_text="Only where the rows name no provider, such as AWS."
    )
    currency = forms.CharField(
        required=False, max_length=3, help_text="Only where the rows name no currency, such as USD."
    )

    def clean_bills(self) -> list[UploadedFile[Any]]:
        files: list[UploadedFile[Any]] = self.cleaned_data["bills"]
        if len(files) > MOST_FILES:
            raise ValidationError(f"These are more than {MOST_FILES} files. Give them in parts.")
        return files

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if currency and not re.fullmatch(r"[A-Z]{3}", currency):
            raise ValidationError("A currency is three letters, such as USD.")
        return currency
