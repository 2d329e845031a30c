"""Words that are near a known name, and that people call their own columns: none of them is its slip.

English words within the distance at which a heading counts as misspelt, by how common they are; without
those that mean the known name itself (`image`, `prompts`, `counts`).
"""

_WORDS = """
absolution account amazes amount amounts blount blunt bodes bound bounty bowel brunt cages chant chung
chunk clout coast codec coded coder codes codex cogent coins comet const cornet couch cough could
couldnt counted counter counties country county coups courant cours court courts coutts covent coyne
crust damages deed desolation devolution donut doubt evolution ext feed fidel found gain gaunt grunt
haunt heed hotel imagery imagines imams inmates jaunt joint mages magus makes males mares mates mazes
medal mobil modal modded mode modem modems modern modes modest module modus molded moles monde money
moods moped moral mores morey morsel motel motels mound mount mounts moved mover moves mowed mower need
next nodal nodes nouns novel pager pages peed point pound profit promo promos promote prompted prompter
promptly proms props rages recount reed remodel revolution revolutions rodeo round sages scout see seedy
seek seem seen seep seer sees seize send sewed shed shunt side sided sine sire site sized sled solution
sound sped speed speeds stages steed stunt sued taunt tent test tests tet tex texted texture towel
usages vowel wages weed wise wound young
"""

ORDINARY = frozenset(_WORDS.split())
