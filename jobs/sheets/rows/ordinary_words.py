"""Words that are near a known name, and that people call their own columns: none of them is its slip.

English words within the distance at which a heading counts as misspelt, by how common they are; without
those that mean the known name itself (`image`, `prompts`, `counts`).
"""

ORDINARY = frozenset(
    """
    abdel absolution account amazes amount amounts blount blunt boden bodes bound bounty bowel brunt
    cages chant chung chunk clint clout clung coast codec coded coder codes codex cogent coins comet
    const conte conti cornet corny couch cough could couldnt counted counter counties country county
    coupe coups courant cours court courts coutts covent covet coyne crust damages deed desolation
    devolution donut doubt evolution ext feed fidel found gain gaunt grunt haunt heed hotel hound
    imagery imagines imams imogen inmates jaunt joint leed mabel magee mages magus makes males
    mandel mares mates mayes mazes medal medea mendel mikel mobil modal modded mode modem modems
    modena modern modes modest module modus mogul molded moles monde monet money moods moped moral
    morel morell mores morey morsel moser moses mosul motel motels mound mount mounts moved mover
    moves mowed mower moyer moyes need next nobel nodal nodes nouns novel odell pager pages peed
    point pound profit promo promos promote prompted prompter promptly proms props prost proust
    rages recount reed remodel revolution revolutions rodeo round saeed sages scout see seedy seek
    seem seen seep seer sees seize send sewed shed shunt side sided sine sire site sized sled
    solution sound sped speed speeds stages steed stunt sued syed taunt tent test tests tet tex
    texted texture towel usages vogel vowel wages weed wise wound young
    """.split()
)
