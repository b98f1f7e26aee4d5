//! The codec of all calls: protobuf, with a look at what a bridge appends before it is
//! decoded. An empty entry has two bytes on the wire and some hundred in memory, so
//! that a message of a few MiB could fill it.

use std::{any::TypeId, marker::PhantomData};

use prost::{
    Message,
    bytes::Buf,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder},
};
use tonic_prost::ProstEncoder;

use crate::{BATCH_ENTRIES, v1::AppendRequest};

/// `AppendRequest.batch`, and `Batch.entries` in it.
const ENTRIES: [u32; 2] = [2, 2];
/// `AppendRequest.report`, and `BridgeReport.destinations` in it.
const DESTINATIONS: [u32; 2] = [3, 9];
/// How many destinations a report may have.
const MAX_DESTINATIONS: usize = 1_000;

/// Encodes `T` and decodes `U`.
#[derive(Debug)]
pub struct Bounded<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Bounded<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for Bounded<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(PhantomData)
    }
}

/// Decodes `U`.
#[derive(Debug)]
pub struct BoundedDecoder<U>(PhantomData<U>);

impl<U: Message + Default + 'static> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        if TypeId::of::<U>() == TypeId::of::<AppendRequest>() {
            check(&bytes)?;
        }
        let message = U::decode(bytes).map_err(|error| Status::internal(error.to_string()))?;
        Ok(Some(message))
    }
}

fn check(request: &[u8]) -> Result<(), Status> {
    if count(request, &ENTRIES) > BATCH_ENTRIES {
        let text = format!("a batch has at most {BATCH_ENTRIES} entries");
        return Err(Status::invalid_argument(text));
    }
    if count(request, &DESTINATIONS) > MAX_DESTINATIONS {
        let text = format!("a report has at most {MAX_DESTINATIONS} destinations");
        return Err(Status::invalid_argument(text));
    }
    Ok(())
}

/// How many messages there are at the end of a path of field numbers, up to where the
/// bytes are no protobuf: they are not decoded any further either.
fn count(mut bytes: &[u8], path: &[u32]) -> usize {
    let mut found = 0;
    while let Ok((number, kind)) = decode_key(&mut bytes) {
        if kind != WireType::LengthDelimited {
            match skip_field(kind, number, &mut bytes, DecodeContext::default()) {
                Ok(()) => continue,
                Err(_) => break,
            }
        }
        let length = decode_varint(&mut bytes).ok();
        let length = length.and_then(|length| usize::try_from(length).ok());
        let Some((inner, rest)) = length.and_then(|length| bytes.split_at_checked(length)) else {
            break;
        };
        bytes = rest;
        found += match path {
            [only] if *only == number => 1,
            [first, below @ ..] if *first == number => count(inner, below),
            _ => 0,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{Batch, BridgeReport, DestinationReport, Entry, append_request::Step};

    fn request(step: Step) -> Vec<u8> {
        AppendRequest { step: Some(step) }.encode_to_vec()
    }

    fn batch(entries: usize) -> Vec<u8> {
        request(Step::Batch(Batch {
            first_sequence: 7,
            entries: vec![Entry::default(); entries],
            mark: "mark".to_owned(),
        }))
    }

    fn report(destinations: usize) -> Vec<u8> {
        request(Step::Report(BridgeReport {
            lag_entries: 1,
            destinations: vec![DestinationReport::default(); destinations],
            ..BridgeReport::default()
        }))
    }

    #[test]
    fn what_is_appended_is_counted_before_it_is_decoded() {
        assert!(check(&batch(BATCH_ENTRIES)).is_ok());
        assert!(check(&batch(BATCH_ENTRIES + 1)).is_err());
        // What stands twice is one message to the decoder.
        let twice = [batch(BATCH_ENTRIES), batch(1)].concat();
        assert!(check(&twice).is_err());
        assert!(check(&report(MAX_DESTINATIONS)).is_ok());
        assert!(check(&report(MAX_DESTINATIONS + 1)).is_err());
    }

    #[test]
    fn what_is_no_protobuf_is_counted_up_to_there() {
        let whole = batch(5);
        for end in 0..whole.len() {
            assert!(count(&whole[..end], &ENTRIES) <= 5);
        }
        assert_eq!(count(&[0x12, 0xff, 0xff, 0xff, 0xff, 0x0f], &ENTRIES), 0);
        assert_eq!(count(&[], &ENTRIES), 0);
    }
}
