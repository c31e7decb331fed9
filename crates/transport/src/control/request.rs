//! What does a client ask for, and is that within the limits?

use protocol::{Consume, Failure, Filter, From, Id, Origin, Request, Word, code};

use super::limits;

/// Reads a header. The id is returned also where the rest is wrong, as far as
/// it can be read.
pub(crate) fn parse(header: &[u8]) -> (Id, Result<Request, Failure>) {
    let (id, request) = protocol::parse(header);
    let request = request.map_err(|wrong| Failure::bad(wrong.to_string()));
    (id, request.and_then(check))
}

fn check(request: Request) -> Result<Request, Failure> {
    match &request {
        Request::Hello(hello) => check_protocol(hello.protocol)?,
        Request::Publish(publish) => publish.origin.as_ref().map_or(Ok(()), check_origin)?,
        Request::Consume(consume) => check_consume(consume)?,
        Request::Credit(credit) => check_credit(credit.credit, 0)?,
        Request::Forget(forget) => check_name(&forget.name)?,
        _ => {}
    }
    Ok(request)
}

fn check_protocol(version: u64) -> Result<(), Failure> {
    if version == protocol::VERSION {
        return Ok(());
    }
    let message = format!(
        "version {version} of the protocol is not spoken here: this broker speaks version {}",
        protocol::VERSION
    );
    Err(Failure::new(code::UNSUPPORTED_PROTOCOL, message)
        .with(|details| details.protocols = Some(vec![protocol::VERSION])))
}

/// Both names stand in lines and in other programs' subjects.
fn check_origin(origin: &Origin) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let is_name = |name: &str, longest: usize| {
        !name.is_empty() && name.len() <= longest && name.chars().all(plain)
    };
    if !is_name(&origin.journal, message::LONGEST_JOURNAL)
        || !is_name(&origin.name, message::LONGEST_ORIGIN_NAME)
    {
        return Err(Failure::bad(
            "an origin's journal and name have 1 to 64 characters out of a-z, A-Z, 0-9, _ and -",
        )
        .not_recorded());
    }
    if origin.message_num <= origin.after {
        let message = "an origin's \"message_num\" must be above its \"after\"";
        return Err(Failure::bad(message).not_recorded());
    }
    Ok(())
}

fn check_consume(consume: &Consume) -> Result<(), Failure> {
    check_credit(consume.credit, 1)?;
    if let Some(name) = &consume.name {
        check_name(name)?;
    }
    for from in [&consume.from, &consume.initial].into_iter().flatten() {
        check_from(from)?;
    }
    if consume.initial == Some(From::Word(Word::After)) {
        return Err(Failure::bad(
            "\"initial\" says where to begin instead of \"after\"",
        ));
    }
    if consume.from.is_none() && consume.name.is_none() {
        let message = "a consumer without a \"name\" says where to begin: \"from\" is missing";
        return Err(Failure::bad(message));
    }
    let after = consume.from == Some(From::Word(Word::After));
    if after && consume.name.is_none() {
        let message = "\"from\":\"after\" needs a \"name\": the broker keeps positions by name";
        return Err(Failure::bad(message));
    }
    let pace_is_fine = consume.pace.is_none_or(|pace| limits::PACE.contains(&pace));
    if !pace_is_fine {
        let message = format!(
            "\"pace\" must be from {} to {}: 1 is the original pace, 10 is ten times as fast",
            limits::PACE.start(),
            limits::PACE.end()
        );
        return Err(Failure::bad(message));
    }
    check_filter(&consume.filter)
}

fn check_from(from: &From) -> Result<(), Failure> {
    let fine = match from {
        From::Number(number) => *number > 0,
        From::Word(_) => true,
        From::Time { time } => super::moment::parse(time).is_some(),
    };
    if fine {
        return Ok(());
    }
    Err(Failure::bad(From::EXPECTED))
}

fn check_filter(filter: &Filter) -> Result<(), Failure> {
    let Filter {
        topic,
        sender,
        tier,
        chain,
        tag,
    } = filter;
    let texts = [topic, sender, tier, chain, tag];
    if texts
        .into_iter()
        .flatten()
        .any(|text| text.len() > limits::FILTER)
    {
        let message = format!("a filter's text has at most {} bytes", limits::FILTER);
        return Err(Failure::bad(message));
    }
    Ok(())
}

fn check_credit(credit: u64, least: u64) -> Result<(), Failure> {
    if (least..=limits::CREDIT).contains(&credit) {
        return Ok(());
    }
    Err(Failure::bad(format!(
        "\"credit\" is {credit}: it must be from {least} to {}",
        limits::CREDIT
    )))
}

/// Names become file names: what is allowed in them is harmless on every
/// system, also where upper and lower case are the same.
fn check_name(name: &str) -> Result<(), Failure> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    if !name.is_empty() && name.len() <= limits::NAME && name.chars().all(allowed) {
        return Ok(());
    }
    Err(Failure::bad(format!(
        "a consumer's name has 1 to {} characters out of a-z, 0-9, _ and -",
        limits::NAME
    )))
}

#[cfg(test)]
mod tests;
