#!/usr/bin/env python3
"""compose.py - writes data.jsonl and test.jsonl from the phrasings and values below.

Usage: compose.py TRAIN.jsonl TEST.jsonl

No phrasing stands in both files, and a third of the test's crops and pests are in no training row.
A line of a phrasing list is a request with {slots}; a line that begins with "!" is for the test.
"""
import json
import random
import sys

BAYS = ["north", "south", "east", "west"]
CROPS = """tomatoes cucumbers lettuce basil spinach radishes strawberries aubergines chillies courgettes rocket
parsley coriander mint beans peas kale chard carrots beetroot onions leeks melons figs okra sorrel
artichokes asparagus broccoli cabbages cauliflower celery chicory cress endives garlic gherkins ginger grapes
horseradish kohlrabi lemongrass limes marjoram mustard nasturtiums nectarines oregano parsnips peaches peanuts plums
potatoes pumpkins quinces rhubarb rosemary sage shallots sunflowers swedes sweetcorn tarragon thyme watercress yams
cherry_tomatoes spring_onions pak_choi sweet_peppers runner_beans baby_spinach""".split()
NEW_CROPS = "raspberries fennel dill turnips squash lemon_balm".split()
PESTS = """aphids whitefly slugs snails thrips spider_mites caterpillars mealybugs vine_weevils leaf_miners
fungus_gnats woodlice earwigs ants scale_insects red_spider_mites greenfly blackfly""".split()
NEW_PESTS = "cutworms leafhoppers flea_beetles wireworms".split()

PHRASINGS = {
    "set_vents": """
open the {bay} vents to {percent} percent
open the vents to {percent} percent
set the roof vents to {percent}%
set the {bay} vents at {percent}%
please open the {bay} bay vents {percent} percent
vents to {percent}
vents in the {bay} bay to {percent}%
can you put the vents at {percent} percent
could you open the roof in the {bay} bay to {percent} percent
it's stuffy, open the vents to {percent}%
it is getting hot in the {bay} bay, vents to {percent} percent please
crack the {bay} vents open {percent} percent
I want the roof vents {percent} percent open
I'd like the {bay} roof vents at {percent}
give the {bay} bay some air, {percent} percent
let some air in, {percent} percent
let air into the {bay} bay, {percent}% will do
roof vents: {percent}%
{bay} vents: {percent}%
{percent}% on the {bay} vents
{percent} percent on all vents
raise the {bay} vents to {percent} percent
drop the vents back to {percent}%
lower the {bay} vents to {percent}
move the roof vents in the {bay} bay to {percent}%
adjust vents to {percent} percent
adjust the {bay} bay vents to {percent} percent open
too humid in here, set the vents to {percent}
ventilate the {bay} bay at {percent} percent
ventilate at {percent}%
would you set the {bay} roof opening to {percent} percent
make it {percent} percent open on the {bay} roof
make the vents {percent}% open
bring the vents down to {percent} percent
turn the vents up to {percent} percent in the {bay} bay
the {bay} bay needs air, open it to {percent}%
open up the roof {percent} percent
hey, open the roof in the {bay} bay {percent} percent
all the vents to {percent}% please
get the {bay} vents to {percent} percent before lunch
open all the roof vents to {percent} percent
open every roof vent to {percent}%
please open the roof vents {percent} percent
put all the roof vents at {percent}%
set every vent to {percent} percent
set the vents to {percent}%
the whole roof to {percent} percent
the roof vents should be at {percent}%
roof vents at {percent} percent please
could you put all vents at {percent}%
!set the vents in the {bay} bay to {percent} percent
!please set all the roof vents to {percent} percent
!could you open the vents {percent}%
!it's warm in the {bay} bay, open the vents to {percent}%
!I would like the {bay} vents open {percent} percent
!put the {bay} bay vents at {percent}%
!open the roof vents to {percent}%
!turn the {bay} vents down to {percent} percent
!roof in the {bay} bay to {percent} percent please
!vents at {percent}%
""",
    "start_misting": """
mist the {bay} bay for {minutes} minutes
start misting the {bay} bay for {minutes} minutes
please mist the {bay} bay {minutes} minutes
run the misting line in the {bay} bay for {minutes} minutes
run the {bay} misters for {minutes} minutes
turn on the {bay} misting for {minutes} minutes
give the {bay} bay {minutes} minutes of mist
give the plants in the {bay} bay a {minutes} minute mist
can you mist the {bay} side for {minutes} min
could you start the misters in the {bay} bay, {minutes} minutes
the {bay} bay looks dry, mist it for {minutes} minutes
misting, {bay} bay, {minutes} minutes
{bay} bay misting for {minutes} min
{minutes} minutes of misting in the {bay} bay
{minutes} minutes of mist for the {bay} side please
spray the {bay} bay for {minutes} minutes
put the {bay} mist line on for {minutes} minutes
switch the misters on in the {bay} bay for {minutes} minutes
I need the {bay} bay misted for {minutes} minutes
I want {minutes} minutes of mist in the {bay}
let the {bay} misters run for {minutes} minutes
let it mist in the {bay} bay for {minutes} min
start the {bay} mist line, {minutes} minutes
start {minutes} minutes of misting over on the {bay} side
humidity is low in the {bay} bay, run the mist {minutes} minutes
seedlings in the {bay} bay are wilting, mist them for {minutes} minutes
mist {bay} {minutes} minutes
mist {bay} for {minutes}
do a {minutes} minute misting of the {bay} bay
do {minutes} minutes of mist on the {bay} side
would you mist the {bay} end for {minutes} minutes
time to mist the {bay} bay, {minutes} minutes
get the misters going in the {bay} bay for {minutes} minutes
get some mist on the {bay} side for {minutes} minutes
have the {bay} bay misted {minutes} minutes
set the {bay} misters going for {minutes} minutes
the ferns in the {bay} bay want {minutes} minutes of mist
keep the mist on in the {bay} bay for {minutes} minutes
quick mist of the {bay} bay, {minutes} minutes
fog the {bay} bay for {minutes} minutes
!please run the misters in the {bay} bay for {minutes} minutes
!mist the {bay} side for {minutes} minutes
!start the misting in the {bay} bay, {minutes} minutes
!the {bay} bay is dry, give it {minutes} minutes of mist
!could you mist the {bay} bay for {minutes} min
!turn the misters on in the {bay} bay for {minutes} minutes
!I'd like {minutes} minutes of misting on the {bay} side
!run mist in the {bay} bay {minutes} minutes
!{minutes} minute mist for the {bay} bay
!let the mist line run in the {bay} bay for {minutes} minutes
""",
    "log_harvest": """
log {grams} grams of {crop}
log a harvest of {grams} g of {crop}
I picked {grams} grams of {crop}
picked {grams} g {crop} this morning
just picked {grams} grams of {crop}
write down {grams} grams of {crop}
note {grams} g of {crop} in the harvest log
harvested {grams} grams of {crop}
we harvested {grams} g of {crop} today
harvest: {crop}, {grams} grams
harvest {crop} {grams} g
{grams} grams of {crop} picked
{grams} g of {crop} for the log
{crop}: {grams} grams
{crop}, {grams} g, put that in the log
add {grams} grams of {crop} to the harvest log
add {crop} to the harvest, {grams} grams
please log {crop}, {grams} grams
please record {grams} g of {crop}
record a harvest of {crop}, {grams} grams
record that I picked {grams} grams of {crop}
the {crop} came to {grams} grams
the {crop} weighed {grams} g
today's {crop} weighed in at {grams} grams
we got {grams} grams of {crop}
got {grams} g of {crop} off the plants
can you log {grams} grams of {crop}
could you write down that we picked {grams} grams of {crop}
put {grams} grams of {crop} in the book
put down {crop}, {grams} grams
enter {grams} g of {crop} as harvested
I cut {grams} grams of {crop}
cut {grams} g of {crop} for the kitchen, log it
brought in {grams} grams of {crop}
I brought in {crop}, {grams} g
the kids gathered {grams} grams of {crop}
first {crop} of the year, {grams} grams
that's {grams} grams of {crop} in the basket
save this harvest: {grams} grams of {crop}
made it {grams} grams of {crop} today
!please log {grams} grams of {crop}
!I harvested {grams} grams of {crop}
!write {grams} g of {crop} in the harvest log
!we picked {grams} grams of {crop} today
!record {grams} grams of {crop}
!{grams} grams of {crop} for the harvest log
!can you record a harvest of {grams} grams of {crop}
!put {grams} g of {crop} in the log
!the {crop} came in at {grams} grams
!just harvested {crop}, {grams} grams
""",
    "set_night_heat": """
set the night heat to {celsius} degrees
keep it at {celsius} degrees tonight
keep the greenhouse at {celsius} degrees overnight
set night temperature to {celsius}
night heat {celsius} degrees
night temperature: {celsius}
heat to {celsius} degrees at night
please heat the greenhouse to {celsius} degrees tonight
can you set the heater to {celsius} for the night
could you keep the nights at {celsius} degrees
it will freeze tonight, keep it at {celsius} degrees
frost is coming, heat to {celsius} overnight
make it {celsius} degrees at night
I want {celsius} degrees in here at night
I'd like the night temperature at {celsius} degrees
put the night heating at {celsius}
turn the night heat up to {celsius} degrees
turn the night heat down to {celsius}
raise the night temperature to {celsius} degrees
lower the overnight heat to {celsius} degrees
drop the night temperature to {celsius}
no colder than {celsius} degrees tonight please
don't let it fall below {celsius} degrees at night
the heater should hold {celsius} degrees overnight
hold {celsius} degrees through the night
hold it at {celsius} tonight
{celsius} degrees for the night please
{celsius} degrees overnight
overnight heat to {celsius}
heater at {celsius} degrees tonight
heating, {celsius} degrees, overnight
change the night setting to {celsius} degrees
change the night heat to {celsius} Celsius
adjust overnight temperature to {celsius} degrees
the seedlings need {celsius} degrees at night
the orchids want {celsius} degrees overnight
would you warm it to {celsius} degrees for the night
warm the place to {celsius} degrees tonight
set the heater for tonight at {celsius} degrees
let the heater keep {celsius} degrees while it's dark
keep the greenhouse at {celsius} overnight
keep it at {celsius} tonight
keep the place at {celsius} for the night
the greenhouse at {celsius} degrees tonight please
greenhouse at {celsius} tonight
leave the greenhouse at {celsius} degrees for the night
!set the night temperature to {celsius} degrees
!keep the greenhouse at {celsius} tonight
!please keep it at {celsius} degrees overnight
!could you set the night heat to {celsius}
!turn the overnight heat up to {celsius} degrees
!heat the greenhouse to {celsius} degrees overnight
!I want the heater at {celsius} degrees tonight
!lower the night temperature to {celsius} degrees
!hold the greenhouse at {celsius} degrees tonight
!put the night heat at {celsius} degrees
""",
    "report_pest": """
I found {pest} on the {crop}
there are {pest} on the {crop}
there are {pest} in here
report {pest} on the {crop}
report {pest}
please report {pest}
I saw {pest} on the {crop}
I just saw {pest}
saw some {pest} on the {crop} today
found {pest}
found {pest} all over the {crop}
{pest} on the {crop}
{pest} on the {crop} again
{pest} in the greenhouse
the {crop} have {pest}
the {crop} are covered in {pest}
the {crop} are full of {pest}, please report it
we have {pest}
we have {pest} on the {crop}
we've got a {pest} problem
we've got {pest} on our {crop}
looks like {pest} on the {crop}
looks like we have {pest}
I think those are {pest} on the {crop}
I spotted {pest} on the {crop} this morning
spotted {pest}
can you report {pest} on the {crop}
could you note that there are {pest} on the {crop}
somebody should look at the {pest} on the {crop}
somebody should see to the {pest}
the {crop} are being eaten by {pest}
{pest} are eating the {crop}
{pest} got at the {crop}
pest report: {pest} on the {crop}
pest report: {pest}
tell them there are {pest} on the {crop}
more {pest}, this time on the {crop}
ugh, {pest}
help, {pest} on the {crop}
make a pest report for {pest} on the {crop}
there are {pest} in the greenhouse
I saw {pest} in the greenhouse
found some {pest} in the greenhouse today
the greenhouse is full of {pest}
we've got {pest} in the greenhouse again
report {pest} in the greenhouse please
!please report {pest} on the {crop}
!I found some {pest} on the {crop}
!there are {pest} all over the {crop}
!the {crop} are covered with {pest}
!we have {pest} in the greenhouse
!I spotted {pest}
!can you report {pest}
!saw {pest} on the {crop} this morning
!looks like {pest} got at the {crop}
!{pest} on our {crop}
""",
    "": """
stop the misting in the {bay} bay
turn off the misters
stop misting
switch the {bay} misting off
what did we pick yesterday
how many grams of {crop} did we get this year
show me the harvest log
delete the last harvest
how warm is it in here
how warm was it last night
what is the temperature outside
will it freeze tonight
will it rain tomorrow
what's the weather like
are the vents open
how far open are the {bay} vents
which vents are open
when did we last mist the {bay} bay
when should I sow {crop}
how do I grow {crop}
what can I do about {pest}
what do {pest} look like
order more {crop} seeds
buy slug pellets
water the {crop} in the garden
plant {crop} in the {bay} bay
turn on the lights in the {bay} bay
turn off the lights
lock the greenhouse door
open the garage door
close the door behind me
play some music
call my sister
set an alarm for {celsius} o'clock
set a timer for {minutes} minutes
remind me to pick the {crop}
send the harvest list to Tom
add {crop} to the shopping list
what can you do
hello
good morning
thanks, that's all
tell me a joke
who built this greenhouse
how big is the {bay} bay
is there a recipe with {crop}
feed the fish
take a photo of the {crop}
how long is the growing season of {crop}
sell {crop} at the market
what time is it
book a table for two
translate {crop} into French
how much does a heater cost
show me a picture of {pest}
stop the mist
cancel the misting in the {bay} bay
turn the {bay} misters off again
how much did the {crop} weigh last time
what was harvested last week
are the {bay} vents shut
is the {bay} bay open
is the heater on
is it cold outside
will there be frost
does it rain
what is the humidity in the {bay} bay
light up the {bay} bay
switch the lights off in the {bay} bay
lights on
lock up
unlock the door
play a song
play the radio
set an alarm for tomorrow
wake me at {celsius}
remind me to water the plants
remind me to buy {crop}
water the {crop}
buy some {crop}
buy new seeds
order {crop} plants
take a picture
take a photo of the {pest}
tell me something about {crop}
tell me about {pest}
read me the news
bye
see you tomorrow
thank you very much
how are you
what day is it
play something
play some classical music
set an alarm for {minutes}
set my alarm to {celsius}
is the roof closed in the {bay} bay
did somebody close the {bay} vents
are all vents closed
is the {bay} bay misted already
what should I plant next
how do I keep {pest} away
how should I feed the {crop}
when are the {crop} ripe
call Tom
send a message to Anna
!stop the misters in the {bay} bay
!turn the misting off
!how much {crop} did we harvest
!how warm is it outside
!is it going to rain
!are the {bay} vents closed
!how should I grow {crop}
!how do I get rid of {pest}
!buy {crop} seeds
!switch on the lights in the {bay} bay
!lock the door
!play some jazz
!set an alarm for {celsius}
!remind me to water the {crop}
!what time is it now
!tell me a story
!thank you, goodbye
!take a picture of the {bay} bay
""",
}


def draw(rng, slot, test):
    new = test and rng.random() < 1 / 3
    if slot == "bay":
        return rng.choice(BAYS)
    if slot == "crop":
        return rng.choice(NEW_CROPS if new else CROPS).replace("_", " ")
    if slot == "pest":
        return rng.choice(NEW_PESTS if new else PESTS).replace("_", " ")
    if slot == "percent":
        return rng.choice([rng.randrange(0, 101, 5), rng.randrange(0, 101)])
    if slot == "minutes":
        return rng.randrange(1, 61)
    if slot == "celsius":
        return rng.randrange(2, 29)
    return rng.choice([rng.randrange(50, 1000, 50), rng.randrange(20, 1000), rng.randrange(1000, 6000)])


def style(rng, text, phrasing):
    """People type as they like: capitals, a full stop, or none. A value is written as the answer has it."""
    if rng.random() < 0.4 and phrasing[0] != "{":
        text = text[0].upper() + text[1:]
    return text + "." if rng.random() < 0.25 else text


def row(rng, tool, phrasing, test):
    slots = [s for s in ("percent", "bay", "minutes", "crop", "grams", "celsius", "pest") if "{" + s + "}" in phrasing]
    values = {s: draw(rng, s, test) for s in slots}
    answers = [{"name": tool, "arguments": values}] if tool else []
    return {"query": style(rng, phrasing.format(**values), phrasing), "answers": answers}


def main():
    rng = random.Random(1)
    train, test = [], []
    for tool, text in PHRASINGS.items():
        lines = text.split("\n")[1:-1]
        seen = [line for line in lines if line[0] != "!"]
        new = [line[1:] for line in lines if line[0] == "!"]
        train += [row(rng, tool, p, False) for p in seen for _ in range(5 if tool else 3)]
        test += [row(rng, tool, p, True) for p in new for _ in range(3 if tool else 1)]
    for path, rows in ((sys.argv[1], train), (sys.argv[2], test)):
        rows = list({r["query"].lower().rstrip("."): r for r in rows}.values())
        rng.shuffle(rows)
        with open(path, "w", encoding="utf-8") as out:
            for r in rows:
                out.write(json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n")


main()
