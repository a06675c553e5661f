"""What a collection tells of its slides: tissue and disease, in the values that applications know; proposed only."""

from __future__ import annotations

import re

# A collection of several organs or diseases has none; so has one whose organ applications have no value for.
_TELLS = {
    "cddp_eagle_1": ("LUNG", "LUNG_CANCER"),
    "cgci_htmcp_lc": ("LUNG", "LUNG_CANCER"),
    "cmb_brca": ("", "BREAST_CANCER"),  # these take metastases, too
    "cmb_crc": ("", "COLORECTAL_CANCER"),
    "cmb_lca": ("", "LUNG_CANCER"),
    "cmb_pca": ("", "PROSTATE_CANCER"),
    "cptac_brca": ("BREAST", "BREAST_CANCER"),
    "cptac_coad": ("COLON", "COLORECTAL_CANCER"),
    "cptac_gbm": ("BRAIN", ""),
    "cptac_lscc": ("LUNG", "LUNG_CANCER"),
    "cptac_luad": ("LUNG", "LUNG_CANCER"),
    "cptac_pda": ("PANCREAS", "PANCREATIC_CANCER"),
    "htan_hms": ("COLON", "COLORECTAL_CANCER"),
    "htan_ohsu": ("", "BREAST_CANCER"),
    "htan_tnp_sardana": ("COLON", "COLORECTAL_CANCER"),
    "htan_vanderbilt": ("COLON", ""),
    "htan_wustl": ("PANCREAS", "PANCREATIC_CANCER"),
    "nlst": ("LUNG", ""),
    "tcga_acc": ("ADRENAL_GLAND", ""),
    "tcga_blca": ("BLADDER", "BLADDER_CANCER"),
    "tcga_brca": ("BREAST", "BREAST_CANCER"),
    "tcga_coad": ("COLON", "COLORECTAL_CANCER"),
    "tcga_gbm": ("BRAIN", ""),
    "tcga_lgg": ("BRAIN", ""),
    "tcga_lihc": ("LIVER", "LIVER_CANCER"),
    "tcga_luad": ("LUNG", "LUNG_CANCER"),
    "tcga_lusc": ("LUNG", "LUNG_CANCER"),
    "tcga_paad": ("PANCREAS", "PANCREATIC_CANCER"),
    "tcga_pcpg": ("ADRENAL_GLAND", ""),
    "tcga_prad": ("PROSTATE", "PROSTATE_CANCER"),
    "tcga_read": ("", "COLORECTAL_CANCER"),
    "tcga_stad": ("STOMACH", "STOMACH_CANCER"),
}
_NORMAL = re.compile(r"\b(NT|N|normal(_tissue)?)\b", re.IGNORECASE)
_METASTASIS = re.compile(r"\b(TM|MS\d|metasta\w*)\b", re.IGNORECASE)
_HE = re.compile(r"\b(HE|H&E|H and E|hematoxylin and eosin)\b", re.IGNORECASE)
_GIEMSA = re.compile(r"\b(WG|giemsa)\b", re.IGNORECASE)
_IHC = re.compile(r"\b(m?IHC|CD\d+\w*|BCL\d|Ki-?67|P16|TP53|MYC|IMC|EBER\w*|PD-?L?1|HER2|ER|PR)\b", re.IGNORECASE)


def proposals_of(collection_id: str, description: str) -> dict[str, str]:
    """Values by column that a slide of a collection probably has.

    A slide that is said to be normal gets no disease, one of a metastasis no tissue.
    """
    tissue, disease = _TELLS.get(collection_id, ("", ""))
    found = {}
    if tissue and not _METASTASIS.search(description):
        found["tissue"] = tissue
    if disease and not _NORMAL.search(description):
        found["disease"] = disease
    if is_h_and_e(description):
        found["staining_method"] = "H&E"
    return found


def is_h_and_e(description: str) -> bool:
    """Whether the description of a series says hematoxylin and eosin."""
    return _HE.search(description) is not None


def stain_words(description: str) -> str:
    """Words to find a series by its stain, as far as its description tells it."""
    if is_h_and_e(description):
        return "H&E hematoxylin eosin"
    if _GIEMSA.search(description):
        return "Giemsa"
    return "IHC immunohistochemistry" if _IHC.search(description) else ""
