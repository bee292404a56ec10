//! Makes a new picture of a file that somebody sent: it is decoded within limits, turned upright, made small
//! enough and encoded anew, so that nothing of the file is left but what can be seen in it.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits, RgbImage,
    codecs::jpeg::JpegEncoder, imageops::FilterType,
};
use protocol::{
    model::Image,
    picture::{Develop, DevelopError},
};

/// The longest side that is decoded.
const SIDE_MAX: u32 = 12_000;
/// Points that are decoded: what a telephone's camera makes, and more.
const POINTS_MAX: u64 = 64_000_000;
/// Memory that decoding may take.
const DECODE_BYTES_MAX: u64 = 320 << 20;
/// The longest side of what a model is shown: more is scaled down by the models themselves.
const SHOWN_SIDE_MAX: u32 = 1_568;
const QUALITY: u8 = 85;

/// See [`Develop`].
pub const DEVELOP: Develop = develop;

fn develop(bytes: &[u8]) -> Result<Image, DevelopError> {
    let mut reader = ImageReader::new(Cursor::new(bytes));
    let guessed = image::guess_format(bytes);
    let format = guessed.map_err(|_not_one_that_image_knows| DevelopError::Unknown)?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP) {
        return Err(DevelopError::Unknown);
    }
    reader.set_format(format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| told(&error))?;
    let (width, height) = decoder.dimensions();
    if POINTS_MAX < u64::from(width) * u64::from(height) {
        return Err(DevelopError::TooLarge);
    }
    // lost-ok: a picture that does not say how it was held is upright.
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| told(&error))?;
    if SHOWN_SIDE_MAX < width.max(height) {
        picture = picture.resize(SHOWN_SIDE_MAX, SHOWN_SIDE_MAX, FilterType::Triangle);
    }
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    let mut encoded = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut encoded, QUALITY);
    on_white(&picture).write_with_encoder(encoder).map_err(|error| told(&error))?;
    Ok(Image { media_type: "image/jpeg", bytes: encoded.into() })
}

/// What can be seen through is white.
fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let seen = picture.to_rgba8();
    let mut shown = RgbImage::new(seen.width(), seen.height());
    for (to, from) in shown.pixels_mut().zip(seen.pixels()) {
        let [red, green, blue, alpha] = from.0;
        let over = |it: u8| {
            let (it, alpha) = (u32::from(it), u32::from(alpha));
            u8::try_from((it * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
        };
        to.0 = [over(red), over(green), over(blue)];
    }
    shown
}

fn told(error: &ImageError) -> DevelopError {
    match error {
        ImageError::Limits(_) => DevelopError::TooLarge,
        ImageError::Unsupported(_) => DevelopError::Unknown,
        ImageError::Decoding(_)
        | ImageError::Encoding(_)
        | ImageError::Parameter(_)
        | ImageError::IoError(_) => DevelopError::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use image::{ImageEncoder as _, Rgba, RgbaImage, codecs::png::PngEncoder};

    use super::*;

    const WHERE: &[u8] = b"52.5200 N 13.4050 E canary";

    /// A picture of this size: red, and green at the top left.
    fn picture(width: u32, height: u32) -> DynamicImage {
        let red = RgbImage::from_pixel(width, height, image::Rgb([250, 10, 10]));
        let mut it = DynamicImage::ImageRgb8(red);
        let green = RgbImage::from_pixel(width / 2, height / 2, image::Rgb([10, 250, 10]));
        image::imageops::overlay(&mut it, &DynamicImage::ImageRgb8(green), 0, 0);
        it
    }

    fn jpeg(picture: &DynamicImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        picture.write_with_encoder(JpegEncoder::new(&mut bytes)).unwrap();
        bytes
    }

    /// The same with EXIF: how the camera was held, and where.
    fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01".to_vec();
        exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
        exif.extend(WHERE);
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat()
    }

    fn seen(image: &Image) -> RgbImage {
        image::load_from_memory_with_format(&image.bytes, ImageFormat::Jpeg).unwrap().to_rgb8()
    }

    fn is_green(picture: &RgbImage, x: u32, y: u32) -> bool {
        let [red, green, _] = picture.get_pixel(x, y).0;
        red < 90 && 170 < green
    }

    #[test]
    fn place_and_camera_are_gone_and_the_picture_is_upright() {
        let file = with_exif(&jpeg(&picture(64, 32)), 6);
        assert!(file.windows(WHERE.len()).any(|it| it == WHERE));
        let shown = develop(&file).unwrap();
        assert_eq!(shown.media_type, "image/jpeg");
        assert!(!shown.bytes.windows(6).any(|it| it == b"canary" || it == b"Exif\0\0"));
        let shown = seen(&shown);
        assert_eq!(shown.dimensions(), (32, 64), "turned by a quarter");
        assert!(is_green(&shown, 28, 4) && !is_green(&shown, 4, 4));
    }

    #[test]
    fn a_large_picture_is_made_small_and_what_can_be_seen_through_is_white() {
        let shown = seen(&develop(&jpeg(&picture(3_136, 100))).unwrap());
        assert_eq!(shown.dimensions(), (1_568, 50));
        let clear = RgbaImage::from_pixel(8, 8, Rgba([9, 9, 9, 0]));
        let mut file = Vec::new();
        PngEncoder::new(&mut file)
            .write_image(&clear, 8, 8, image::ColorType::Rgba8.into())
            .unwrap();
        assert_eq!(seen(&develop(&file).unwrap()).get_pixel(3, 3).0, [255, 255, 255]);
    }

    #[test]
    fn what_is_no_picture_or_damaged_or_a_bomb_is_told_apart() {
        assert_eq!(develop(b"%PDF-1.7"), Err(DevelopError::Unknown));
        assert_eq!(develop(b"GIF89a\x01\0\x01\0"), Err(DevelopError::Unknown));
        assert_eq!(develop(b""), Err(DevelopError::Unknown));
        let whole = jpeg(&picture(64, 64));
        assert_eq!(develop(&whole[..40]), Err(DevelopError::Damaged));
        // A PNG of a few bytes that says it is 50,000 points wide and high.
        let mut bomb = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR".to_vec();
        bomb.extend(50_000_u32.to_be_bytes());
        bomb.extend(50_000_u32.to_be_bytes());
        bomb.extend([8, 6, 0, 0, 0]);
        bomb.extend(crc(&bomb[12..]).to_be_bytes());
        assert_eq!(develop(&bomb), Err(DevelopError::TooLarge));
    }

    /// The checksum of a part of a PNG.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |it, _| {
                (it >> 1) ^ (0xEDB8_8320 & (it & 1).wrapping_neg())
            })
        };
        !bytes.iter().fold(u32::MAX, step)
    }
}
