"""Inputs that other image programs know by other names, and what the models of this catalog have instead.

A sheet that was written for another program may have a column of one. It is not sent, which has to be said.
"""

from collections.abc import Collection, Mapping

from jobs.catalog.registry import MODELS

_ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "prompt": (
        *("description", "image_description", "scene_description", "instruction", "instructions", "input"),
        *("prompt_en", "english_prompt", "positive", "user_prompt", "full_prompt", "final_prompt", "query"),
        *("aufforderung", "eingabe", "bildbeschreibung", "beschreibung", "eingabeaufforderung", "bildtext"),
        *("invite", "consigne", "description_de_l'image", "indicación", "indicacion", "descripción"),
        *("descripcion", "richiesta", "descrizione", "descrição", "descricao", "comando", "beschrijving"),
        *(
            "提示词",
            "提示詞",
            "提示语",
            "描述",
            "正向提示词",
            "プロンプト",
            "プロンプト文",
            "프롬프트",
            "промпт",
            "описание",
        ),
    ),
    "model": ("modell", "modèle", "modele", "modelo", "modello", "模型", "モデル", "모델", "модель"),
    "size": (
        *("width", "height", "w", "h", "aspect_ratio", "aspect", "ar", "ratio", "dimensions", "dimension"),
        *("breite", "höhe", "hoehe", "größe", "grösse", "groesse", "bildgröße", "bildgroesse", "auflösung"),
        *("aufloesung", "format", "seitenverhältnis", "seitenverhaeltnis", "taille", "largeur", "hauteur"),
        *("résolution", "tamaño", "tamano", "ancho", "alto", "resolución", "resolucion", "dimensione"),
        *("dimensioni", "larghezza", "altezza", "risoluzione", "tamanho", "largura", "altura", "grootte"),
        *("formaat", "尺寸", "大小", "分辨率", "宽度", "高度", "比例", "サイズ", "解像度", "크기", "размер"),
        *("image_width", "image_height", "output_size", "res", "image_dimensions", "img_size", "orientation"),
    ),
    "count": (
        *("num_images", "number_of_images", "n_images", "n", "num_outputs", "num_samples", "n_samples"),
        *("batch_size", "batch_count", "n_iter", "num_images_per_prompt", "images_per_prompt", "max_images"),
        *("anzahl", "bilder", "anzahl_bilder", "bildanzahl", "menge", "stück", "nombre", "nombre_d'images"),
        *("nb_images", "cantidad", "quantité", "quantite", "quantità", "quantita"),
        *(
            "quantidade",
            "aantal",
            "数量",
            "张数",
            "圖片數量",
            "枚数",
            "개수",
            "수량",
            "количество",
            "anz",
        ),
        *("count_images", "pictures", "no_of_images", "number_images", "qty", "pics", "cnt"),
        *("image_count", "variations", "num_variations", "quantity", "how_many", "copies"),
    ),
    "seed": (
        *("noise_seed", "random_seed", "rng_seed", "seed_value", "startwert", "zufallswert", "saat"),
        *("graine", "semilla", "seme", "semente", "种子", "随机种子", "シード", "시드", "сид"),
    ),
    "images": (
        *("referenz", "referenzbild", "referenzbilder", "image_de_référence", "imágenes"),
        *(
            "imagenes",
            "immagini",
            "imagens",
            "参考图",
            "参考图片",
            "参考画像",
            "参照画像",
        ),
        *("image_url", "image_urls", "reference", "references", "reference_image", "reference_images"),
        *("input_image", "input_images", "init_image", "source_image", "ref", "ref_image", "img", "img_url"),
    ),
    "negative": (
        *("negative_prompt", "negative", "neg_prompt", "neg", "negative_text", "uc", "exclude_prompt"),
        *("negativeprompt", "negprompt", "negativ", "negativer_prompt", "invite_négative", "负面提示词"),
        *("反向提示词", "ネガティブプロンプト", "네거티브"),
    ),
    "selection": ("enabled", "disabled", "skip", "ignore", "active", "omit", "do_not_run", "todo_run"),
    "setting": (
        *(
            "steps",
            "num_inference_steps",
            "inference_steps",
            "sampling_steps",
            "cfg",
            "cfg_scale",
            "guidance",
        ),
        *("guidance_scale", "sampler", "sampler_name", "scheduler", "strength", "denoise", "lora", "loras"),
        *("denoising_strength", "clip_skip", "checkpoint", "vae", "hires_fix", "quality", "output_format"),
        *("response_format", "background", "moderation", "output_quality", "num_steps", "cfg_value"),
        *("safety_tolerance", "watermark", "enhance_prompt", "prompt_upsampling", "restore_faces", "tiling"),
    ),
}
_MEANS = {name: word for word, names in _ELSEWHERE.items() for name in names}
_COMMON = frozenset(("prompt", "model", "size", "count", "seed", "images"))
"""The words that sheets have here."""


_OF_IMAGES = frozenset(
    ("image", "images", "img", "imgs", "picture", "pictures", "pic", "pics", "photo", "photos", "output")
)
_PARTS = {
    **dict.fromkeys(("count", "counts", "cnt", "number", "num", "n", "qty", "quantity"), "count"),
    **dict.fromkeys(("size", "width", "height", "ratio", "resolution", "res", "dimensions"), "size"),
}
"""Beside a word for images they mean an input, as in `output_count`; alone they may be anybody's."""


def word_elsewhere(name: str) -> str | None:
    """The common word of this catalog that a name (lower case) of another program or language stands for."""
    word = _meaning(name)
    return word if word in _COMMON else None


def _meaning(name: str) -> str | None:
    if word := _MEANS.get(name):
        return word
    parts = set(name.replace("_per_", "_").split("_"))
    words = [_PARTS[part] for part in parts if part in _PARTS]
    return words[0] if len(words) == 1 and not parts.isdisjoint(_OF_IMAGES) else None


def instead_of(name: str, models: Collection[str]) -> str | None:
    """What these models have instead of an input of this name (lower case); None where it is none."""
    word = _meaning(name)
    if word is None:
        return None
    if word == "negative":
        return "There is no negative prompt here. Say in the prompt itself what is to be left out."
    if word == "setting":
        return "The model has no such input."
    if word == "selection":
        return "It leaves out no row: --where sends a part of a sheet, as in --where 'ready=yes'."
    if word in ("prompt", "model"):
        return None  # without one of its own a sheet has a problem, and beside it this is the user's own
    having = [model for model in models if model in MODELS and word in MODELS[model].vocabulary]
    if having:
        spec = MODELS[having[0]]
        choices = spec.fields[spec.vocabulary[word]].choices
        said = f", as in {choices[0]} or {choices[2]}" if choices else ""
        return f"Write it into a column {word}{said}."
    if word == "count":
        return "The model makes one picture a row. Write the row once for each picture."
    others = next(model for model, spec in MODELS.items() if word in spec.vocabulary)
    return f"The model takes no {word}. One that does: {others}."
