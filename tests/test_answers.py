"""What the page asks, how it words its answers, and what a visitor can do with them."""

import pytest
from playwright.sync_api import expect
from posed import DOUBT, NO_FOOD, PIZZA, RAMEN, answer_with, pose, posed, thumbnail
from visitor import PHONE, answer, choose, choose_several, chooser, complaint, drawn, picture, press, saved
from visitor import press_in_menu as press_more

PUBLIC_PAGE = "https://food.example.com/"
NO_ANSWER_YET = "({ held }) => { posed.held = held }"


@pytest.fixture
def tab(browser):
    """An empty tab in a fresh profile."""
    with browser.new_context(reduced_motion="reduce") as context:
        yield context.new_page()


def shown_in_view(page, locator):
    box = locator.bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= page.viewport_size["height"]


@pytest.mark.parametrize(
    ("prediction", "heading", "below"),
    [
        (PIZZA, "Pizza", "Very likely"),
        (DOUBT, "Not sure: perhaps steak", "It could also be some other food."),
        (RAMEN, "Not pizza, steak or sushi", "Probably ramen"),
        (NO_FOOD, "I don't see food here", "99% sure"),
    ],
    ids=["sure", "doubt", "another food", "no food"],
)
def test_an_answer_is_in_words_first_and_differs_in_shape_from_doubt_and_refusal(
    tab, voila, prediction, heading, below
):
    pose(tab, voila.url, prediction)
    choose(tab, "drawn.jpg", saved(drawn()))
    expect(answer(tab)).to_have_text(heading)
    expect(tab.get_by_role("status").filter(has=tab.get_by_role("heading"))).to_contain_text(below)
    kind = tab.get_by_role("article").get_attribute("data-kind")
    mark = tab.locator(".fv-answer > svg path").get_attribute("d")
    assert {"Pizza": "sure", "Not sure: perhaps steak": "doubt"}.get(heading, "none") == kind
    answer_with(tab, RAMEN if kind == "sure" else PIZZA)
    choose(tab, "other.jpg", saved(drawn()))
    expect(picture(tab, "other.jpg")).to_be_visible()
    expect(answer(tab)).not_to_have_text(heading)
    assert tab.locator(".fv-answer > svg path").get_attribute("d") != mark


@pytest.mark.parametrize("size", [(390, 664), (320, 568), (320, 480), (1440, 900), (2560, 1440)])
def test_the_offer_and_the_answer_to_a_portrait_are_in_view_and_nothing_is_wider_than_the_screen(browser, voila, size):
    width, height = size
    phone = {"has_touch": True, "is_mobile": True} if width < 500 else {}
    with browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **phone) as context:
        page = context.new_page()
        pose(page, voila.url, DOUBT)
        shown_in_view(page, page.locator(".fv-ways"))
        choose(page, "drawn.jpg", saved(drawn(900, 1200)))
        expect(answer(page)).to_be_visible()
        shown_in_view(page, answer(page))
        assert page.evaluate("document.documentElement.scrollWidth") == width
        choose_several(page, (f"{'a-long-name' * 20}.jpg", saved(drawn(1600, 400))), ("two.jpg", saved(drawn())))
        expect(page.get_by_text("3 of 3 done")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_main_button_of_a_phone_is_its_camera(browser, voila):
    with browser.new_context(**PHONE) as context:
        page = context.new_page()
        pose(page, voila.url)
        camera, choose_button = page.locator(".fv-ways label").all()
        expect(camera).to_have_text("Take a photo")
        assert camera.evaluate(BACKGROUND) != choose_button.evaluate(BACKGROUND)


BACKGROUND = "node => getComputedStyle(node).backgroundColor"


def test_the_area_for_photos_is_large_until_there_is_one_and_then_a_toolbar(tab, voila):
    pose(tab, voila.url)
    area = tab.locator(".fv-offer")
    before = area.bounding_box()["height"]
    with tab.expect_file_chooser():
        area.click(position={"x": 20, "y": 20})
    choose(tab, "drawn.jpg", saved(drawn()))
    expect(answer(tab)).to_be_visible()
    assert area.bounding_box()["height"] < before / 3
    press(tab, "Try another")
    assert area.bounding_box()["height"] == before


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_the_answer_appears_with_a_small_motion_unless_the_visitor_wants_none(browser, voila, motion, moves):
    with browser.new_context(reduced_motion=motion) as context:
        page = context.new_page()
        pose(page, voila.url)
        choose(page, "drawn.jpg", saved(drawn()))
        expect(answer(page)).to_be_visible()
        name = page.locator(".fv-said").evaluate("node => getComputedStyle(node).animationName")
        assert (name != "none") is moves


def test_a_model_that_knows_dishes_answers_either_question_and_the_address_remembers_which(tab, voila):
    pose(tab, voila.url, RAMEN)
    expect(tab.get_by_text("Is it pizza, steak or sushi?")).to_be_visible()
    tab.get_by_label("7 dishes").check()
    expect(tab.get_by_text("Which of 7 dishes is it?")).to_be_visible()
    choose(tab, "drawn.jpg", saved(drawn()))
    expect(answer(tab)).to_have_text("Ramen")
    tab.locator("summary", has_text="All the numbers").evaluate("summary => (summary.parentNode.open = true)")
    expect(tab.get_by_role("listitem")).to_have_text(["Ramen 72%", "Lasagna 12%", "Nachos 8%", "Sushi 3%", "Pizza 2%"])
    tab.get_by_label("Pizza, steak or sushi").check()
    expect(answer(tab)).to_have_text("Not pizza, steak or sushi")
    tab.get_by_label("7 dishes").check()
    assert tab.url == f"{voila.url}#show=dishes"
    tab.goto("about:blank")
    pose(tab, f"{voila.url}#show=dishes")
    expect(tab.get_by_label("7 dishes")).to_be_checked()


def test_a_model_without_dishes_has_one_question(tab, voila):
    pose(tab, voila.url, dishes={})
    expect(tab.get_by_text("Is it pizza, steak or sushi?")).to_be_visible()
    expect(tab.get_by_role("radio")).to_have_count(0)


def test_what_the_model_looked_at_is_shown_on_request(tab, voila):
    pose(tab, voila.url)
    choose(tab, "drawn.jpg", saved(drawn()))
    expect(tab.locator(".fv-heat")).to_have_count(0)
    press(tab, "What did it look at?")
    photo, area = picture(tab, "drawn.jpg").bounding_box(), tab.locator(".fv-area").bounding_box()
    assert area["width"] == pytest.approx(photo["width"], abs=1)
    assert area["height"] == pytest.approx(0.75 * photo["height"], abs=1)
    assert area["y"] == pytest.approx(photo["y"] + photo["height"] / 8, abs=1)
    reds = tab.locator(".fv-heat canvas").evaluate(
        "canvas => { const { data } = canvas.getContext('2d').getImageData(0, 0, 4, 4);"
        "return [...data].filter((_, place) => place % 4 === 0); }"
    )
    assert reds.index(max(reds)) == 6 and min(reds) == reds[0]  # it glows where the heat is
    press(tab, "What did it look at?")
    expect(tab.locator(".fv-heat")).to_have_count(0)
    tab.get_by_label("7 dishes").check()
    press(tab, "What did it look at?")
    expect(tab.locator(".fv-heat")).to_have_count(1)
    assert posed(tab)["explained"] == ["pizza", "pizza"]


def test_a_model_without_heat_maps_is_not_asked_for_them(tab, voila):
    pose(tab, voila.url)
    tab.evaluate("delete posed.dashboard.answerer.explain")
    choose(tab, "drawn.jpg", saved(drawn()))
    expect(answer(tab)).to_be_visible()
    expect(tab.get_by_role("button", name="What did it look at?")).to_have_count(0)


def test_an_example_is_answered_like_a_chosen_photo(tab, voila):
    pose(tab, voila.url, examples=[{"name": "drawn pizza.jpg", "thumbnail": thumbnail()}])
    tab.get_by_role("button", name="Example: drawn pizza").click()
    expect(answer(tab)).to_have_text("Pizza")
    expect(picture(tab, "drawn pizza.jpg")).to_be_visible()
    expect(tab.get_by_role("button", name="Example:")).to_have_count(0)


# Several photos


def choose_four(page):
    answer_with(page, PIZZA, DOUBT, NO_FOOD, PIZZA)
    choose_several(page, *[(f"{number}.jpg", saved(drawn())) for number in range(4)])
    expect(page.get_by_text("4 of 4 done")).to_be_visible()


def shown_names(page):
    return [node.get_attribute("aria-label") for node in page.get_by_role("article").all() if node.is_visible()]


def test_a_card_can_be_removed_and_the_last_one_becomes_large(tab, voila):
    pose(tab, voila.url)
    choose_four(tab)
    for name in ("0.jpg", "2.jpg", "3.jpg"):
        press(tab, f"Remove {name}")
    expect(answer(tab)).to_have_text("Not sure: perhaps steak")
    expect(tab.get_by_role("button", name="Remove 1.jpg")).to_be_hidden()
    choose(tab, "next.jpg", saved(drawn()))
    expect(picture(tab, "next.jpg")).to_be_visible()
    assert shown_names(tab) == ["next.jpg"]


def test_cards_are_filtered_and_sorted_by_answer(tab, voila):
    pose(tab, voila.url)
    choose_four(tab)
    show, sort = tab.get_by_label("Show"), tab.get_by_label("Sort")
    assert show.locator("option").all_text_contents() == [
        "All answers (4)",
        "Pizza (2)",
        "Not sure (1)",
        "None of these (1)",
    ]
    sort.select_option("Least sure first")
    assert shown_names(tab) == ["1.jpg", "0.jpg", "3.jpg", "2.jpg"]
    sort.select_option("By answer")
    assert shown_names(tab) == ["0.jpg", "3.jpg", "1.jpg", "2.jpg"]
    show.select_option("Not sure (1)")
    assert shown_names(tab) == ["1.jpg"]


def test_a_photo_whose_turn_has_not_come_has_no_empty_outline(tab, voila):
    pose(tab, voila.url)
    tab.evaluate(NO_ANSWER_YET, {"held": True})
    choose_several(tab, *[(f"{number}.jpg", saved(drawn())) for number in range(5)])
    expect(tab.get_by_text("0 of 5 done")).to_be_visible()
    expect(picture(tab, "0.jpg")).to_be_visible()
    assert len(shown_names(tab)) <= 2
    expect(tab.get_by_role("progressbar")).to_be_visible()
    tab.evaluate(NO_ANSWER_YET, {"held": False})
    expect(tab.get_by_text("5 of 5 done")).to_be_visible()
    expect(tab.get_by_role("progressbar")).to_have_count(0)


def test_all_answers_are_saved_as_a_table(tab, voila):
    pose(tab, voila.url)
    choose_four(tab)
    with tab.expect_download() as download:
        press_more(tab, "Save as CSV")
    header, *rows = download.value.path().read_text("utf-8-sig").splitlines()
    assert header.startswith("photo,label,probability,probability_pizza")
    assert [row.split(",")[:2] for row in rows] == [
        ["0.jpg", "pizza"],
        ["1.jpg", "steak"],
        ["2.jpg", "not_food"],
        ["3.jpg", "pizza"],
    ]


# Sharing an answer


def test_a_link_brings_an_answer_without_its_photo_and_sends_nothing(tab, voila):
    pose(tab, f"{voila.url}#answer=pizza&p.pizza=0.973&p.steak=0.004&d.ramen=0.01")
    expect(answer(tab)).to_have_text("Pizza")
    expect(tab.get_by_role("article")).to_contain_text("Someone sent you this answer.")
    expect(tab.get_by_role("article").get_by_role("img")).to_have_count(0)
    answer_with(tab, RAMEN)
    choose(tab, "mine.jpg", saved(drawn()))
    expect(answer(tab)).to_have_text("Not pizza, steak or sushi")
    assert "answer=" not in tab.url


def test_a_link_with_words_of_a_strangers_own_shows_nothing(tab, voila):
    pose(tab, f"{voila.url}#answer=You+won&p.You+won=1")
    expect(chooser(tab)).to_be_visible()
    expect(tab.get_by_role("article")).to_have_count(0)


RECORD_SHARE = """() => {
    navigator.canShare = () => true;
    navigator.share = async ({ title, text, url, files }) => {
        globalThis.handed = { title, text, url, types: files.map(({ type }) => type) };
    };
}"""


def test_share_hands_a_picture_and_a_link_to_the_phones_own_sheet(tab, voila):
    tab.add_init_script(f"({RECORD_SHARE})()")
    pose(tab, voila.url, link=PUBLIC_PAGE)
    choose(tab, "drawn.jpg", saved(drawn()))
    expect(answer(tab)).to_be_visible()
    press(tab, "Share")
    tab.wait_for_function("globalThis.handed")
    handed = tab.evaluate("handed")
    assert (handed["title"], handed["text"], handed["types"]) == ("FoodVision", "Pizza", ["image/png"])
    assert handed["url"].startswith(f"{PUBLIC_PAGE}#answer=pizza&p.pizza=0.973")


def test_without_a_sheet_share_copies_the_link(tab, voila):
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.add_init_script("delete Navigator.prototype.canShare")
    pose(tab, voila.url, link=PUBLIC_PAGE)
    choose(tab, "drawn.jpg", saved(drawn()))
    expect(answer(tab)).to_be_visible()
    press(tab, "Share")
    expect(tab.get_by_text("Copied.")).to_be_visible()
    assert tab.evaluate("navigator.clipboard.readText()").startswith(f"{PUBLIC_PAGE}#answer=pizza")


# The foot of the page


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_appearance_is_chosen_and_remembered(browser, voila, system):
    other = "Dark" if system == "light" else "Light"
    with browser.new_context(color_scheme=system) as context:
        page = context.new_page()
        pose(page, voila.url)
        before = page.locator("body").evaluate(BACKGROUND)
        page.get_by_label("Appearance").select_option(other)
        assert page.locator("body").evaluate(BACKGROUND) != before
        pose(page, voila.url)
        expect(page.get_by_label("Appearance")).to_have_value(other.lower())
        assert page.locator("body").evaluate(BACKGROUND) != before


def test_the_foot_tells_about_the_model_its_limits_and_the_photos(tab, voila):
    pose(tab, voila.url)
    tab.locator("summary", has_text="About this page").click()
    for text in ("recognise pizza, steak and sushi", "don't rely on it for allergies", "shrinks each photo"):
        expect(tab.get_by_text(text)).to_be_visible()
    expect(tab.get_by_role("link", name="Source code")).to_have_attribute("href", "https://code.example.com/food")


def test_everything_is_done_by_keyboard_alone(tab, voila):
    pose(tab, voila.url)
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("radio").first).to_be_focused()
    tab.keyboard.press("Tab")
    expect(chooser(tab)).to_be_focused()
    choose(tab, "drawn.jpg", saved(drawn()))
    expect(answer(tab)).to_be_visible()
    stops = ["Use the camera", "All the numbers", "What did it look at?", "Yes", "No"]
    for name in [*stops, "Save picture", "Try another", "More"]:
        tab.keyboard.press("Tab")
        expect(tab.locator(":focus")).to_contain_text(name)
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    expect(tab.locator(":focus")).to_have_text("Copy as JSON")
    tab.keyboard.press("Escape")
    expect(tab.locator(":focus")).to_contain_text("More")
    expect(tab.get_by_role("button", name="Copy as JSON")).to_be_hidden()


def test_a_bad_photo_among_several_can_be_removed(tab, voila):
    pose(tab, voila.url)
    tab.evaluate("posed.dashboard.answerer.answer = async () => ({ error: 'This is not a photo.' })")
    choose_several(tab, ("text.jpg", b"only text"), ("more.jpg", b"only text"))
    expect(tab.get_by_text("2 of 2 done, 2 could not be read")).to_be_visible()
    press(tab, "Remove more.jpg")
    expect(complaint(tab)).to_contain_text("text.jpg This is not a photo.")
    expect(tab.get_by_role("article")).to_have_count(0)
