"""Words that say nothing by themselves, and those that turn what they stand by into its opposite.

Only words of closed classes: a list with "gut" or "time" in it, as many are, would hide drivers.
"""

from __future__ import annotations

_GERMAN = """
der die das den dem des ein eine einen einem einer eines dieser diese dieses diesen diesem dies
jener jene jenes jenen jenem derselbe dasselbe dieselbe dieselben solche solcher solches ich du er
sie es wir ihr mich dich sich uns euch mir dir ihm ihn ihnen man wer wen wem wessen was welche
welcher welches welchen welchem mein meine meinen meinem meiner meines dein deine deinen deinem
deiner sein seine seinen seinem seiner seines ihre ihren ihrem ihrer ihres unser unsere unseren
unserem unserer unseres euer eure euren eurem eurer jeder jede jedes jeden jedem alle allem allen
aller alles beide beiden einige einigen einiger etwas irgendwas irgendwie irgendwann irgendwo
jemand jemanden jemandem selber selbst manche mancher manches viele vielen derer deren dessen
denen etc usw bzw ca ab an am ans auf aus außer bei beim bis durch für fürs gegen gegenüber hinter
im in ins mit nach neben pro seit statt trotz über um unter von vom vor während wegen zu zum zur
zwischen aber als also bevor da damit dann dass daß denn deshalb deswegen doch falls indem je
jedoch nachdem ob obwohl oder sobald sodass sofern solange somit sondern soweit sowie sowohl und
weil wenn wie wobei wo woher wohin wofür womit worauf zwar auch bereits bisschen dabei dadurch
dafür dagegen daher dahin danach daran darauf daraus darin darum darüber davon davor dazu dort
eben eh eher eigentlich einfach einmal erst etwa fast ganz gar genau gerade halt heute gestern
morgen hier hierbei hierfür hin her immer immerhin inzwischen ja jetzt mal mehr mehrere mehreren
meist meistens mindestens momentan nun nur noch nämlich ok okay plötzlich quasi recht schon sehr
so sogar sonst sowieso überhaupt übrigens trotzdem vielleicht voll völlig weiter weiterhin
wirklich wohl ziemlich zuerst zumindest zunächst zusammen absolut total echt leider bitte bin bist
ist sind seid war warst waren wart wäre wären gewesen sei seien habe hab hast hat haben habt hatte
hattest hatten hattet hätte hätten gehabt werde wirst wird werden werdet wurde wurden würde würden
worden geworden kann kannst können könnt konnte konnten könnte könnten gekonnt muss muß musst
müssen müsst musste mussten müsste müssten soll sollst sollen sollte sollten will willst wollen
wollte wollten darf darfst dürfen durfte durften dürfte mag mögen möchte möchten möcht lassen
lässt ließ gibt gab geben gibts  machen machte gemacht tun tut getan finde findet findest
sage sagt sagte sagen gesagt hr fr herr herrn frau dr prof
"""
_ENGLISH = """
a an the this that these those i you he she it we they me him her us them my your his its our
their mine yours ours theirs myself yourself himself herself itself ourselves themselves who whom
whose which what one ones someone somebody something anyone anybody anything everyone everybody
everything each every either both all any some such same other another others  about above
across after against along among around as at before behind below beneath beside between beyond by
down during for from in inside into like near of off on onto out outside over past per since
through throughout till toward towards under until up upon via with within and but or so if
because although though unless whereas whether while when where why how than then therefore thus
however else also already almost always anyway away even ever far here there just maybe more most
 now often once only perhaps pretty quite rather really simply sometimes soon still thing
things today tomorrow yesterday together totally very yet etc ok okay please absolutely literally
actually basically lot lots bit kind sort am is are was were be been being do does did doing done
have has had having will would shall should can could may might must ought need get gets got
getting gotten go goes going went gone let lets make makes made making put take takes took taken
say says said saying tell told come comes came im ive id ill youre youve theyre theyve thats
theres whats hes shes weve i'm i've i'd i'll you're you've you'll he's she's it's we're we've
we'll they're they've they'll that's there's what's who's let's mr mrs ms dr
"""
_TURNING = """
nicht nich nichts nie niemals niemand niemanden niemandem kein keine keinen keinem keiner keines
keinerlei ohne kaum weder nirgends zu not no never nobody nothing none without hardly barely
neither nor cannot cant dont doesnt didnt isnt wasnt arent werent wont wouldnt couldnt shouldnt
havent hasnt hadnt too
"""
_HALF = """
wieder again back gern gerne lang viel well much many geht gehen ging kommt kommen kam kamen macht
"""
_TITLES = "Herr Herrn Frau Hr Fr Dr Prof Mr Mrs Ms"

GERMAN = frozenset(_GERMAN.split())
ENGLISH = frozenset(_ENGLISH.split())

TURNING = frozenset(_TURNING.split())
"""Negations, and the "zu" and "too" of "zu teuer": they may begin or end a phrase."""

HALF = frozenset(_HALF.split())
"""Say something only beside a word that says more, or beside a negation: "nie wieder"."""

TITLES = frozenset(_TITLES.split())
"""What stands before somebody's name."""
