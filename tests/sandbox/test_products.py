import re
from uuid import uuid4

import pytest

from .client import Client


def codes(client: Client, target: str) -> list[str]:
    return [item["ProductCode"] for item in client.items(target)]


def test_a_page_is_in_the_path_and_the_pages_make_the_whole(client: Client) -> None:
    whole = codes(client, "/Products?pageSize=1000")
    pages = [codes(client, f"/Products/{page}?pageSize=20") for page in (1, 2, 3)]
    assert [code for page in pages for code in page] == whole == sorted(whole)
    assert codes(client, "/Products/Page/2?pageSize=20") == pages[1]
    pagination = client.get("/Products/2?pageSize=20")["Pagination"]
    assert pagination == {"NumberOfItems": len(whole), "PageSize": 20, "PageNumber": 2, "NumberOfPages": 3}


def test_page_in_the_query_is_page_one_again(client: Client) -> None:
    assert codes(client, "/Products?page=2&pageSize=10") == codes(client, "/Products?pageSize=10")


def test_page_size_zero_gives_the_count_alone(client: Client) -> None:
    answer = client.get("/Products?pageSize=0&includeObsolete=true")
    assert answer["Pagination"]["NumberOfItems"] == 60
    assert answer["Items"] == []


def test_an_empty_list_is_page_zero_of_zero(client: Client) -> None:
    pagination = client.get("/Products?productCode=NOTHING")["Pagination"]
    assert pagination == {"NumberOfItems": 0, "PageSize": 200, "PageNumber": 0, "NumberOfPages": 0}


def test_default_and_capped_page_sizes(client: Client) -> None:
    client.plant("products", *[{"ProductCode": f"Z{n:04d}"} for n in range(1100)])
    assert len(client.items("/Products")) == 200
    for cap in (1000, 500, 200):
        client.switch(page_cap=cap)
        assert client.get("/Products?pageSize=5000")["Pagination"]["PageSize"] == cap
        assert len(client.items("/Products?pageSize=5000")) == cap


def test_a_page_past_the_end(client: Client) -> None:
    assert client.items("/Products/9?pageSize=20") == []
    client.switch(past_end="last_page")
    assert client.items("/Products/9?pageSize=20") == client.items("/Products/3?pageSize=20")
    client.switch(past_end="404")
    assert client.status("GET", "/Products/9?pageSize=20") == 404


def test_walking_the_pages_while_something_is_written(client: Client) -> None:
    first = codes(client, "/Products/1?pageSize=20")
    client.plant("products", {"ProductCode": "AAA"})
    assert codes(client, "/Products/2?pageSize=20")[0] == first[-1]


def test_a_single_record_is_bare(client: Client) -> None:
    item = client.items("/Products")[0]
    assert client.get(f"/Products/{item['Guid']}") == item
    assert client.get(f"/products/{item['Guid'].upper()}/") == item
    assert client.status("GET", f"/Products/{uuid4()}") == 404


def test_paths_and_names_compare_without_regard_to_case(client: Client) -> None:
    assert codes(client, "//products//1/?PAGESIZE=5") == codes(client, "/Products?pageSize=5")


def test_dates_and_decimals_on_the_wire(client: Client) -> None:
    text = client.call("GET", "/Products?productCode=MUG").text
    assert re.search(r'"LastModifiedOn":"\\/Date\(\d{13}\)\\/"', text)
    assert re.search(r'"LastCost":\d+\.\d{4},', text)


def test_product_code_is_a_prefix_and_product_is_contained(client: Client) -> None:
    found = codes(client, "/Products?productCode=mug&includeObsolete=true")
    assert "MUG" in found
    assert "MUG-BLUE" in found
    assert all(code.startswith("MUG") for code in found)
    assert set(found) <= set(codes(client, "/Products?product=MUG&includeObsolete=true"))
    assert codes(client, "/Products?product=blue%20mug&includeObsolete=true")[0] == "MUG-BLUE"
    assert codes(client, "/Products?productDescription=blue%20mug&includeObsolete=true")[0] == "MUG-BLUE"


def test_barcode_and_group(client: Client) -> None:
    item = client.items("/Products")[5]
    assert codes(client, f"/Products?ProductBarcode={item['Barcode']}") == [item["ProductCode"]]
    groups = {each["ProductGroup"]["GroupName"] for each in client.items("/Products?productGroup=Living")}
    assert groups == {"Living"}


def test_obsolete_ones_are_hidden_unless_asked_for(client: Client) -> None:
    guid = client.plant("products", {"ProductCode": "OLD", "Obsolete": True})[0]
    assert codes(client, "/Products?productCode=OLD") == []
    assert codes(client, "/Products?productCode=OLD&includeObsolete=true") == ["OLD"]
    assert client.get(f"/Products/{guid}")["Obsolete"] is True


def test_a_list_of_ids(client: Client) -> None:
    old = client.plant("products", {"ProductCode": "OLD", "Obsolete": True})[0]
    other = client.items("/Products")[0]
    target = f"/Products?productId={old},{other['Guid'].upper()}"
    assert codes(client, target) == [other["ProductCode"]]
    assert set(codes(client, f"{target}&includeObsolete=true")) == {"OLD", other["ProductCode"]}
    client.switch(product_id_shows_obsolete="yes")
    assert set(codes(client, target)) == {"OLD", other["ProductCode"]}
    assert codes(client, f"{target}&includeObsolete=false") == [other["ProductCode"]]


@pytest.mark.parametrize("status", [404, 414, 400])
def test_a_query_that_is_too_long(client: Client, status: int) -> None:
    client.switch(too_long=status)
    longest = "productId=" + "," * 2038
    assert client.status("GET", f"/Products?{longest}") == 200
    assert client.status("GET", f"/Products?{longest},") == status


def test_modified_since_inclusive_and_strict(client: Client) -> None:
    stamp = "/Date(4102444800000)/"  # 2100-01-01T00:00:00Z
    client.plant("products", {"ProductCode": "NEW", "LastModifiedOn": stamp}, silent=True)
    for moment in ("2100-01-01", "2100-01-01T00:00:00", "2100-01-01T00:00:00.000"):
        assert codes(client, f"/Products?modifiedSince={moment}") == ["NEW"]
    client.switch(modified_since="strict")
    assert codes(client, "/Products?modifiedSince=2100-01-01T00:00:00") == []
    assert codes(client, "/Products?modifiedSince=2099-12-31T23:59:59") == ["NEW"]


def test_a_malformed_date_is_refused(client: Client) -> None:
    assert client.status("GET", "/Products?modifiedSince=yesterday") == 400
    assert client.status("GET", "/Products?modifiedSince=2026-02-31") == 400


def test_order_by_modification(client: Client) -> None:
    client.plant("products", {"ProductCode": "ZZZ"})
    assert codes(client, "/Products?orderBy=LastModifiedOn&sort=desc&pageSize=1") == ["ZZZ"]
    assert codes(client, "/Products?orderBy=LastModifiedOn&pageSize=200")[-1] == "ZZZ"
    assert codes(client, "/Products?sort=desc&pageSize=1") == ["ZZZ"]


def test_brief_gives_seven_fields(client: Client) -> None:
    assert set(client.items("/Products?brief=true")[0]) == {
        *("Guid", "ProductCode", "ProductDescription", "DefaultPurchasePrice"),
        *("DefaultSellPrice", "SellPriceTier1", "DefaultSupplierId"),
    }


def test_components_and_assemblies_can_be_left_out(client: Client) -> None:
    client.plant("products", {"ProductCode": "QKIT", "IsAssembledProduct": True})
    client.plant("products", {"ProductCode": "QPART", "IsComponent": True})
    assert codes(client, "/Products?productCode=Q&excludeAssembled=true") == ["QPART"]
    assert codes(client, "/Products?productCode=Q&excludeComponents=true") == ["QKIT"]
    assert codes(client, "/Products?productCode=Q&excludeComponents=false") == ["QKIT", "QPART"]


def test_posting_creates_and_posting_again_blanks_what_is_left_out(client: Client) -> None:
    path = f"/Products/{uuid4()}"
    first = client.call("POST", path, {"ProductCode": "NEW", "ProductDescription": "New", "Barcode": "1"})
    assert first.status_code == 201
    assert first.json()["Barcode"] == "1"
    again = client.call("POST", path, {"ProductCode": "NEW", "ProductDescription": "New", "DefaultSellPrice": 14.5})
    assert again.status_code == 201
    assert again.json()["Barcode"] is None
    assert again.json()["CreatedOn"] == first.json()["CreatedOn"]
    assert '"DefaultSellPrice":14.5000' in again.text
    assert client.get(path) == again.json()


def test_posting_without_a_guid_in_the_path(client: Client) -> None:
    answer = client.call("POST", "/Products", {"ProductCode": "NEW", "ProductDescription": "New"})
    assert client.get(f"/Products/{answer.json()['Guid']}")["ProductCode"] == "NEW"


def test_price_tiers_keep_their_name_and_get_four_places(client: Client) -> None:
    tier = {"SellPriceTier2": {"Value": 3}}
    answer = client.call("POST", "/Products", {"ProductCode": "N", "ProductDescription": "N", **tier})
    assert '"SellPriceTier2":{"Name":"Sell Price Tier 2","Value":3.0000}' in answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ProductDescription": "No code"}, "ProductCode"),
        ({"ProductCode": "NODESC"}, "ProductDescription"),
        ({"ProductCode": "mug", "ProductDescription": "Taken"}, "ProductCode"),
        ({"ProductCode": "X" * 101, "ProductDescription": "Long"}, "ProductCode"),
    ],
)
def test_a_product_that_is_not_valid(client: Client, body: dict[str, str], field: str) -> None:
    answer = client.call("POST", f"/Products/{uuid4()}", body)
    assert answer.status_code == 400
    assert answer.json()["Items"][0]["Field"] == field
    assert field in answer.json()["Description"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"LastCost":NaN}', b'{"LastCost":1e400}'])
def test_what_cannot_be_parsed_is_a_500(client: Client, body: bytes) -> None:
    assert client.call("POST", "/Products", data=body).status_code == 500


def test_a_price_that_is_no_number_is_a_500(client: Client) -> None:
    body = {"ProductCode": "N", "ProductDescription": "N", "DefaultSellPrice": "12,50"}
    assert client.status("POST", "/Products", body) == 500


def test_retiring_a_product(client: Client) -> None:
    item = client.items("/Products")[0]
    assert client.status("POST", f"/Products/Obsolete/{item['Guid']}") == 200
    assert item["ProductCode"] not in codes(client, "/Products")
    assert client.status("POST", f"/Products/Obsolete/{uuid4()}") == 404


def test_search_lag_hides_new_ones_from_lists_only(client: Client) -> None:
    client.switch(search_lag=30)
    created = client.call("POST", "/Products", {"ProductCode": "NEW", "ProductDescription": "N"}).json()
    assert codes(client, "/Products?productCode=NEW") == []
    assert client.get(f"/Products/{created['Guid']}")["ProductCode"] == "NEW"
    client.control("POST", "clock", {"advance": 31})
    assert codes(client, "/Products?productCode=NEW") == ["NEW"]
