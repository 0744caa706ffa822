"""Prompts in the bins, in real JupyterLab."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.widget import answered, drag, expect_bins, quarters, repainted, root_of, tile, version

CELL = """
import cocoa_widget as cw
images = cw.demo_images().select(["mosaic/1", "cat/1", "coffee/1", "flower/1", "flower/2"])
widget = cw.CocoaWidget(images, cw.load_encoder("demo"), explicands=["mosaic/1"], method="cam")
widget
"""
HOSTILE = "<img src=x onerror=alert(1)> 🐱"


def add(root, bin_name, text):
    field = root.locator(f"[data-add-text={bin_name}]")
    field.fill(text)
    field.press("Enter")
    # The text tower reads the names of a thousand classes before its first prompt.
    expect(tile(root, bin_name, f"text:{text}")).to_be_visible()


def test_prompts_point_where_they_should(open_notebook):
    lab = open_notebook(CELL)
    lab.run_all()
    root = root_of(lab)
    add(root, "corpus", "a cat")
    add(root, "foil", "a cup of coffee")
    expect_bins(lab, ["text:a cat"], ["text:a cup of coffee"], ["mosaic/1"])
    answered(lab, root, "mosaic/1")
    canvas = root.locator("[data-bin=explicands] canvas[data-heatmap='mosaic/1']")
    expect(canvas).to_have_attribute("data-stale", "false")
    cat, coffee, rocket, motorcycle = quarters(canvas)
    assert cat > max(rocket, motorcycle) > coffee

    before = version(root)
    drag(lab.page, tile(root, "corpus", "text:a cat"), root.locator("[data-bin=foil]"))
    repainted(root, before)
    expect_bins(lab, [], ["text:a cup of coffee", "text:a cat"], ["mosaic/1"])
    lab.page.keyboard.press("Control+z")
    expect(tile(root, "corpus", "text:a cat")).to_be_visible()
    expect_bins(lab, ["text:a cat"])

    add(root, "foil", HOSTILE)
    hostile = tile(root, "foil", f"text:{HOSTILE}")
    expect(hostile).to_contain_text(HOSTILE)
    assert hostile.locator("img").count() == 0

    search = root.locator("[data-bin=gallery] input[type=search]")
    root.locator("[data-action=rank]").click()
    search.fill("a flower")
    search.press("Enter")
    first = root.locator("[data-bin=gallery] [data-image-id]").first
    expect(first).to_have_attribute("data-image-id", "flower/1")
    assert lab.python("print(widget.add_text(cw.class_names('cifar10'), to='foil')[0])") == "text:airplane"
    expect(tile(root, "foil", "text:airplane")).to_be_attached()


def test_an_encoder_without_texts_shows_nothing_of_them(open_notebook):
    lab = open_notebook(
        CELL.replace('cw.load_encoder("demo")', 'cw.load_encoder("torchvision/resnet18", weights=None)')
    )
    lab.run_all()
    root = root_of(lab)
    assert root.locator("[data-add-text]").count() == 0
    assert root.locator("[data-action=rank]").count() == 0
    assert "no text tower" in lab.python("try:\n    widget.add_text('a')\nexcept cw.EncoderError as e:\n    print(e)")


def test_the_first_text_dims_nothing_while_it_is_read(open_notebook):
    lab = open_notebook(CELL.replace('method="cam"', 'method="cam", corpus=["cat/1"]'))
    lab.run_all()
    root = root_of(lab)
    answered(lab, root, "mosaic/1")
    lab.page.evaluate(
        """() => {
          window.cocoaDimmed = 0;
          new MutationObserver((changes) => {
            const answers = changes.map(({ target }) => target).filter((each) => each.matches('canvas, .reading'));
            window.cocoaDimmed += answers.filter(({ dataset }) => dataset.stale === 'true').length;
          }).observe(document.querySelector('[data-cocoa]'), { subtree: true, attributeFilter: ['data-stale'] });
        }"""
    )
    before = lab.python("print(widget._live.heatmap('mosaic/1').score)")
    add(root, "foil", "a cup of coffee")
    answered(lab, root, "mosaic/1")
    assert lab.python("print(widget._live.heatmap('mosaic/1').score)") != before
    assert lab.page.evaluate("window.cocoaDimmed") == 0
