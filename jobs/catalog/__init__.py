"""The catalogue of models: their inputs, limits and numbers of images.

`registry` lists the models, one module a family (`seedream_4_5`, `seedream_4_0`). A model is a `spec` with an
`input_field` for each input; `fields` are the inputs that families share. `explain` words what a check finds
as `findings`, `advice` only warns; `image_urls` and `image_rules` check references.
"""
