"""
Words that stand in nearly every text of a language, and so tell no text from another.

Articles, pronouns, prepositions, conjunctions and auxiliaries, and what apostrophes
cut off. They are few on purpose: a word that is left out cannot be found, and the
store's IDF makes little of a common word anyway. Languages without a list have none
left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["STOPWORDS"]

_EN: Final = """
a about after again all also am an and any are as at be because been before being but by can could d did do does doing
don down during each few for from further had has have having he her here hers herself him himself his how i if in into
is it its itself just ll m me more most my myself no nor not now of off on once only or other our ours ourselves out
over own re s same she should so some such t than that the their theirs them themselves then there these they this
those through to too under until up ve very was we were what when where which while who whom why will with would you
your yours yourself yourselves
"""
_DE: Final = """
ab aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes auch auf aus bei beim
bin bis bist da damit dann das dass dasselbe dazu daß dein deine deinem deinen deiner dem demselben den denn der deren
derselbe des dessen dich die dies diese dieselbe diesem diesen dieser dieses dir doch dort du durch ein eine einem einen
einer eines einige er es etwas euch euer eure für gegen hab habe haben hat hatte hatten hier hin hinter ich ihm ihn
ihnen ihr ihre ihrem ihren ihrer im in indem ins ist jede jedem jeden jeder jedes jene jenem jenen jener jetzt kann kein
keine keinem keinen keiner können könnte machen man manche mein meine meinem meinen meiner mich mir mit muss musste nach
nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner selbst sich sie sind so solche soll sollte
sondern sonst um und uns unser unsere unter viel vom von vor war waren warst was weg weil weiter welche welchem welchen
welcher wenn werde werden wie wieder will wir wird wirst wo wollen wollte während würde würden zu zum zur zwar zwischen
über
"""
_FR: Final = """
a ai aie ait alors as au aucun aussi autre aux avait avant avec avez avons ayant c car ce ceci cela ces cet cette ceux
chaque ci comme d dans de des donc dont du elle elles en encore entre es est et étaient étais était étant été être eu
eux fait il ils j je jusqu l la là le les leur leurs lui m ma mais me même mes moi mon n ne ni nos notre nous on ont ou
où par pas peut plus pour qu quand que quel quelle quelles quels qui s sa sans se sera ses si sien soi soit son sont
sous suis sur t ta te tes toi ton tous tout toute toutes très tu un une vers vos votre vous y à ça
"""
_ES: Final = """
a al algo alguna algunas alguno algunos ante antes aquel aquella aquellas aquellos aquí así aun aunque cada como con
contra cual cuales cuando de del desde donde dos durante e el él ella ellas ellos en entre era eran eres es esa esas ese
eso esos esta está están estas este esto estos estoy fue fueron ha había han has hasta hay he la las le les lo los más me
mi mí mis mucho muchos muy nada ni no nos nosotros nuestra nuestras nuestro nuestros o os otra otras otro otros para pero
poco por porque pues que qué quien quienes se sea ser si sí sido sin sobre sois somos son soy su sus también tan tanto te
tener ti tiene tienen toda todas todo todos tu tú tus un una unas uno unos vosotros y ya yo
"""
_IT: Final = """
a abbia abbiamo ad agli ai al alcuni all alla alle allo anche ancora avere aveva avevano c che chi ci come con contro
cosa cui d da dagli dai dal dall dalla dalle dallo de degli dei del dell della delle dello dentro di dopo dove e è ed
egli era erano essere fra fu furono già gli ha hai hanno ho i il in io l la le lei li lo loro lui ma me mentre mi mia mie
miei mio ne negli nei nel nell nella nelle nello noi non nostra nostre nostri nostro o ogni per perché più poi qual
quale quali quando quanto quella quelle quelli quello questa queste questi questo qui se sei senza si sia siamo siete
sono sopra sotto stata state stati stato su sua sue sugli sui sul sull sulla sulle sullo suo suoi te ti tra tu tua tue
tuo tuoi tutti tutto un una uno v vi voi vostra vostre vostri vostro
"""
_PT: Final = """
a à ainda ao aos as às até com como da das de dela delas dele deles depois do dos e é ela elas ele eles em entre era
eram essa essas esse esses esta está estas estava este estes eu foi foram há isso isto já lhe lhes mais mas me mesmo meu
meus minha minhas muito na não nas nem no nos nós nossa nossas nosso nossos num numa o os ou para pela pelas pelo pelos
por porque qual quando que quem são se sem ser seu seus si sob sobre sou sua suas também te tem têm ter teu teus tinha
tu tua tuas um uma umas uns você vocês vos
"""
_NL: Final = """
aan al alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een eens en er ge geen geweest
haar had heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je kan kon kunnen maar me meer men met mij
mijn moet na naar niet niets nog nu of om omdat onder ons ook op over reeds s t te tegen toch toen tot u uit uw van veel
voor want waren was wat we wel werd wezen wie wij wil worden wordt ze zelf zich zij zijn zo zonder zou
"""
_SV: Final = """
alla allt att av blev bli blir blivit de dem den denna deras dess dessa det detta dig din dina ditt du då där efter ej
eller en er era ert ett från för ha hade han hans har henne hennes hon honom hur här i icke ingen inom inte jag ju kan
kunde man med mellan men mig min mina mitt mot mycket ni nu när någon något några och om oss på samma sedan sig sin sina
sitt själv skulle som så sådan till under upp ut utan vad var vara varför varit varje vars vart vem vi vid vilka vilken
vilket vår våra vårt än är åt över
"""
_DA: Final = """
ad af alle alt anden at blev blive bliver da de dem den denne der deres det dette dig din disse dog du efter eller en end
er et for fra ham han hans har havde have hende hendes her hos hun hvad hvis hvor i ikke ind jeg jer jo kan kunne man
mange med meget men mig min mine mit mod ned noget nogle nu når og også om op os over på selv sig sin sine sit skal
skulle som sådan thi til ud under var vi vil ville vor være været
"""
_NO: Final = """
alle at av bare begge ble blei bli blir blitt da de deg dem den denne der dere deres det dette din disse du eller en enn
er et ett etter for fordi fra før ha hadde han hans har henne hennes her hos hun hva hvem hver hvilken hvis hvor hvordan
hvorfor i ikke ingen inn jeg kan kom kun kunne man mange med meg men mer mest min mine mitt mot mye noe noen nå når og
også om opp oss over på samme seg selv sin sine sitt skal skulle slik som så til ut uten var ved vi vil ville vår være
vært å
"""
_FI: Final = """
ei eivät emme en et että ette he heidän heidät heille heissä hän häneen hänelle hänen hänet ja joka joita joiden jolla
jos joten jotka kanssa ken kuin kuka kun ketä me meidän meille mikä missä mitä mukaan mutta myös ne niiden niihin niille
niin niissä niitä noin nuo nyt näiden nämä ole olen olet oli olisi olivat ollut on ovat poikki se sekä sen siihen siinä
siis siitä sille sinun sinä sitä tai te teidän tuo tämä tämän tässä tästä tätä vaan vai vaikka yli
"""
_RU: Final = """
а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да даже для до его ее ей ему если есть
еще же за и из или им их к как ко когда кто ли либо мне может мы на над надо наш не него нее нет ни них но ну о об
однако он она они оно от очень по под при с со так также такой там те тем то того тоже той только том ты у уж уже хотя
чего чей чем что чтобы чье чья эта эти это этот я
"""  # noqa: RUF001  # it is Russian

STOPWORDS: Final[Mapping[str, frozenset[str]]] = {
    code: frozenset(words.split())
    for code, words in (
        ("da", _DA), ("de", _DE), ("en", _EN), ("es", _ES), ("fi", _FI), ("fr", _FR),
        ("it", _IT), ("nl", _NL), ("no", _NO), ("pt", _PT), ("ru", _RU), ("sv", _SV),
    )
}  # fmt: skip
"""By the code of ISO 639."""
