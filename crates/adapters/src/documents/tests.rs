//! Documents of every kind are read, and those that are made to do harm are refused.

use std::io::{Cursor, Write as _};

use pdf_extract::{
    Document, EncryptionState, EncryptionVersion, Object, Permissions, Stream, dictionary,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::*;

const CHARS_MAX: usize = 10_000;

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in parts {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn docx(body: &str) -> Vec<u8> {
    let part = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>"
    );
    archive(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", part.as_bytes())])
}

fn pdf(pages: &[&str]) -> Document {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let font = document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica",
        "Encoding" => "WinAnsiEncoding",
    });
    let resources = document.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    let mut kids: Vec<Object> = Vec::new();
    for words in pages {
        let content = format!("BT /F1 12 Tf 72 720 Td ({words}) Tj ET");
        let content = document.add_object(Stream::new(dictionary! {}, content.into_bytes()));
        let page = dictionary! {
            "Type" => "Page", "Parent" => tree, "Contents" => content, "Resources" => resources,
            "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
        };
        kids.push(document.add_object(page).into());
    }
    let count = i64::try_from(kids.len()).unwrap();
    let pages = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count };
    document.objects.insert(tree, Object::Dictionary(pages));
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    let id = Object::string_literal("0123456789abcdef");
    document.trailer.set("ID", vec![id.clone(), id]);
    document
}

fn bytes_of(mut document: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

fn locked_pdf(password: &str) -> Vec<u8> {
    let mut document = pdf(&["The brass key is below the stairs."]);
    let version = EncryptionVersion::V2 {
        document: &document,
        owner_password: "owner",
        user_password: password,
        key_length: 128,
        permissions: Permissions::all(),
    };
    let state = EncryptionState::try_from(version).unwrap();
    document.encrypt(&state).unwrap();
    bytes_of(document)
}

fn text_of(document: &[u8]) -> (DocumentKind, String) {
    let read = read(document, CHARS_MAX).unwrap();
    (read.kind, read.text)
}

#[test]
fn a_pdf_is_read_page_by_page() {
    let (kind, text) = text_of(&bytes_of(pdf(&["The brass key is below.", "Second page."])));
    assert_eq!(kind, DocumentKind::Pdf);
    assert_eq!(text, "The brass key is below.\n\nSecond page.");
    let (_, text) = text_of(&locked_pdf(""));
    assert!(text.contains("brass key"), "one that opens without a password is read: {text}");
}

#[test]
fn a_text_of_an_office_is_read_paragraph_by_paragraph_without_what_was_deleted() {
    let body = "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>Tom &amp; </w:t></w:r>\
                <w:r><w:t xml:space=\"preserve\">J&#233;r&#x00F4;me</w:t></w:r></w:p>\
                <w:p><w:r><w:delText>gone</w:delText><w:t>one</w:t><w:tab/><w:t>two</w:t></w:r></w:p>\
                <mc:AlternateContent><mc:Choice><w:p><w:t>box</w:t></w:p></mc:Choice>\
                <mc:Fallback><w:p><w:t>box</w:t></w:p></mc:Fallback></mc:AlternateContent>\
                <w:tbl><w:tr><w:tc><w:p><w:t>a</w:t></w:p></w:tc><w:tc><w:p><w:t>b</w:t></w:p></w:tc></w:tr></w:tbl>";
    let (kind, text) = text_of(&docx(body));
    assert_eq!(kind, DocumentKind::Docx);
    assert_eq!(text, "Tom & Jérôme\none\ttwo\nbox\n\na\tb");
}

#[test]
fn slides_are_read_in_their_order() {
    let slide = |words: &str| {
        format!("<p:sld><a:p><a:r><a:t>{words}</a:t></a:r></a:p></p:sld>").into_bytes()
    };
    let (first, second, tenth) = (slide("first"), slide("second"), slide("tenth"));
    let document = archive(&[
        ("ppt/presentation.xml", b"<p/>"),
        ("ppt/slides/slide10.xml", &tenth),
        ("ppt/slides/slide2.xml", &second),
        ("ppt/slides/slide1.xml", &first),
        ("ppt/slides/_rels/slide1.xml.rels", b"<r/>"),
    ]);
    let (kind, text) = text_of(&document);
    assert_eq!(kind, DocumentKind::Pptx);
    assert_eq!(text, "Slide 1\nfirst\n\nSlide 2\nsecond\n\nSlide 10\ntenth");
}

#[test]
fn a_table_is_read_sheet_by_sheet_with_days_as_days() {
    let document = archive(&[
        (
            "xl/workbook.xml",
            b"<workbook><sheets><sheet name=\"Costs\" r:id=\"rId1\"/><sheet name=\"More\" r:id=\"rId2\"/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            b"<R><Relationship Id=\"rId1\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Target=\"/xl/worksheets/sheet2.xml\"/></R>",
        ),
        ("xl/sharedStrings.xml", b"<sst><si><t>Rent</t></si><si><r><t>Tea </t></r><r><t>pot</t></r></si></sst>"),
        (
            "xl/styles.xml",
            b"<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            b"<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\"><v>820.5</v></c><c r=\"D1\" s=\"1\"><v>45000</v></c></row>\
              <row><c t=\"s\"><v>1</v></c><c t=\"b\"><v>1</v></c><c t=\"s\"><v>99</v></c></row></sheetData></worksheet>",
        ),
        (
            "xl/worksheets/sheet2.xml",
            b"<worksheet><row><c t=\"inlineStr\"><is><t>inside</t></is></c></row></worksheet>",
        ),
    ]);
    let (kind, text) = text_of(&document);
    assert_eq!(kind, DocumentKind::Xlsx);
    assert_eq!(text, "Costs\nRent\t820.5\t\t2023-03-15\nTea pot\tTRUE\n\nMore\ninside");
}

#[test]
fn open_documents_are_read() {
    let content = b"<office:document-content><office:body><text:tracked-changes><text:p>gone</text:p></text:tracked-changes>\
                    <text:h>Head</text:h><text:p>one<text:s text:c=\"3\"/>two<text:line-break/>three</text:p>\
                    <table:table table:name=\"T\"><table:table-row><table:table-cell><text:p>x</text:p></table:table-cell><table:table-cell><text:p>y</text:p></table:table-cell></table:table-row></table:table>\
                    </office:body></office:document-content>";
    for (mime, expected) in [
        ("text", DocumentKind::Odt),
        ("spreadsheet", DocumentKind::Ods),
        ("presentation", DocumentKind::Odp),
    ] {
        let mime = format!("application/vnd.oasis.opendocument.{mime}");
        let document = archive(&[("mimetype", mime.as_bytes()), ("content.xml", content)]);
        let (kind, text) = text_of(&document);
        assert_eq!(kind, expected);
        assert_eq!(text, "Head\none two\nthree\n\nT\nx\ty");
    }
}

#[test]
fn a_long_document_is_read_from_its_beginning_and_that_is_said() {
    let words = "<w:p><w:t>word </w:t></w:p>".repeat(9_000);
    let read = read(&docx(&words), 1_000).unwrap();
    assert!(read.is_cut && read.text.chars().count() <= 1_000, "{}", read.text.len());
    let pages = vec!["many words on a page"; 100];
    let read = super::read(&bytes_of(pdf(&pages)), 500).unwrap();
    assert!(read.is_cut && read.text.chars().count() <= 500, "{}", read.text.len());
}

#[test]
fn what_is_no_document_is_locked_damaged_or_empty_is_told_apart() {
    use ReadDocumentError::{Damaged, Locked, Unknown, Wordless};

    let whole = bytes_of(pdf(&["some words"]));
    let compound = |name: &str| {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        [&COMPOUND[..], &[0; 600], &name].concat()
    };
    let odt: &[u8] = b"application/vnd.oasis.opendocument.text";
    let sealed = archive(&[
        ("mimetype", odt),
        ("META-INF/manifest.xml", b"<manifest:encryption-data/>"),
        ("content.xml", b"\x8f\x02"),
    ]);
    let office = docx("<w:p><w:t>words</w:t></w:p>");
    let cases: [(&str, &[u8], ReadDocumentError); 14] = [
        ("nothing", b"", Unknown),
        ("a program", b"\x7fELF\x02\x01\x01", Unknown),
        (
            "an archive of other things",
            &archive(&[("../../etc/passwd", b"root"), ("a", b"b")]),
            Unknown,
        ),
        ("a document of an older office", &compound("WordDocument"), Unknown),
        ("a locked one of a newer", &compound("EncryptedPackage"), Locked),
        ("a locked open document", &sealed, Locked),
        ("a locked pdf", &locked_pdf("secret"), Locked),
        ("the beginning of a pdf", b"%PDF-1.7\n1 0 obj\n<<", Damaged),
        ("half an archive", &office[..office.len() / 2], Damaged),
        ("tags that do not fit", &docx("<w:p></w:r>"), Damaged),
        ("a tag that is open", &docx("<w:p><w:t>x"), Damaged),
        (
            "another text than it says",
            &archive(&[("word/document.xml", b"<a>\xff\xfe</a>")]),
            Damaged,
        ),
        ("pages without words", &bytes_of(pdf(&[""])), Wordless),
        ("paragraphs without words", &docx("<w:p/>"), Wordless),
    ];
    for (what, document, why) in cases {
        assert_eq!(read(document, CHARS_MAX), Err(why), "{what}");
    }
    for at in (1..whole.len()).step_by(7) {
        // Whatever comes of it, it comes to an end.
        let _ended = read(&whole[..at], CHARS_MAX);
    }
}

#[test]
fn documents_2_what_unfolds_or_nests_without_end_is_refused() {
    use ReadDocumentError::{Damaged, TooMuch};

    let folded = vec![b' '; 80 << 20];
    let bomb = archive(&[("word/document.xml", &folded)]);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    assert_eq!(read(&bomb, CHARS_MAX), Err(TooMuch), "one part that unfolds");
    let deep = docx(&"<w:p>".repeat(100_000));
    assert_eq!(read(&deep, CHARS_MAX), Err(TooMuch), "tags in tags");
    let grows =
        "<!DOCTYPE x [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;\">]><x><w:t>&b;</w:t></x>";
    let grows = archive(&[("word/document.xml", grows.as_bytes())]);
    assert_eq!(read(&grows, CHARS_MAX), Err(Damaged), "entities that grow");
    let reaches = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>";
    let reaches = archive(&[("word/document.xml", reaches.as_bytes())]);
    assert_eq!(read(&reaches, CHARS_MAX), Err(Damaged), "a grammar elsewhere");
    assert_eq!(read(&docx("<w:t>&xxe;</w:t>"), CHARS_MAX), Err(Damaged), "an unknown entity");
}

#[test]
fn nul_and_what_no_text_holds_is_in_no_text() {
    let (_, text) = text_of(&docx("<w:t>a\u{0}b\u{1b}[31m\u{202e}c</w:t>"));
    assert!(!text.contains(['\0', '\u{1b}']), "{text:?}");
}
