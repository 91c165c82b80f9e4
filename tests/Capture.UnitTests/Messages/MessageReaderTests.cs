using System.Text.Json;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Kernel;

namespace Capture.UnitTests.Messages;

public sealed class MessageReaderTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly MessageReader Reader = new();

    [Fact]
    public void Read_FormWithFields_TellsTheNewLead()
    {
        var message = Read("""
            {"type":"track","event":"Form Submitted","anonymousId":"x","messageId":"m1","timestamp":"2026-03-01T08:00:00.123Z",
             "properties":{"formType":"Demo","fields":{"E-Mail":" Ada@Acme.Example","Job Title":"VP Engineering","companySize":"51-200","Company":"Acme","notes":"hello"}}}
            """).Value;

        Assert.Equal((ActivityTypes.Form, "x", "m1"), (message.Type, message.Device, message.MessageId));
        Assert.Equal(new CaptureEvidence(new(2026, 3, 1, 8, 0, 0, 123, TimeSpan.Zero), CaptureType.Form, "demo"), message.Person.Capture);
        Assert.Equal("ada@acme.example", message.Person.Email);
        Assert.Equal(
            [new("title", "\"VP Engineering\""), new("company.employees", "51"), new("companySize", "\"51-200\""),
                new("company.name", "\"Acme\""), new("notes", "\"hello\"")],
            message.Person.Facts);
    }

    [Fact]
    public void Read_Identify_KeepsTraitsAndCompany()
    {
        var person = Read("""
            {"type":"identify","userId":"u1","traits":{"email":"ada@acme.example","firstName":"Ada","plan":{"tier":2},"gone":null,
             "company":{"name":"Acme","employees":250,"industry":"Software","revenue":"$5M","website":"acme.example","founded":1990}}}
            """).Value.Person;

        Assert.Equal([new(IdentityKey.User, "u1"), new(IdentityKey.Email, "ada@acme.example")], person.Keys);
        Assert.Equal(
            [
                new("firstName", "\"Ada\""), new("plan", "{\"tier\":2}"), new("gone", "null"), new("company.name", "\"Acme\""),
                new("company.employees", "250"), new("company.industry", "\"Software\""), new("company.annualRevenue", "5000000"),
                new("company.domain", "\"acme.example\""), new("companyFounded", "1990"),
            ],
            person.Facts);
    }

    [Theory]
    [InlineData("""{"phone":"ask the desk"}""", "phone=\"ask the desk\"")]
    [InlineData("""{"mobile":["+49 30 123456"]}""", "mobile=[\"+49 30 123456\"]")]
    [InlineData("""{"company.founded":1990}""", "companyFounded=1990")]
    [InlineData("""{"Company.size":"51-200"}""", "company.employees=51")]
    [InlineData("""{"company.annualRevenue":5}""", "company.annualRevenue=5")]
    [InlineData("""{"company":{"size":"a lot","revenue":-1}}""", "companySize=\"a lot\" companyRevenue=-1")]
    [InlineData("""{"employees":true}""", "employees=true")]
    public void Read_ValueThatIsNotUnderstood_StaysATrait(string traits, string facts) => Assert.Equal(
        facts,
        string.Join(' ', Read($$"""{"type":"identify","userId":"u","traits":{{traits}}}""").Value.Person.Facts
            .Select(fact => $"{fact.Key}={fact.Json}")));

    [Fact]
    public void Read_CallFromANumberThatIsNone_TellsNoPhone() => Assert.Empty(
        Read("""{"type":"track","event":"Call Received","userId":"u","properties":{"callerNumber":"anonymous","email":"a@acme.example"}}""")
            .Value.Person.Facts);

    [Fact]
    public void Read_IdentifyWithTraitsInTheContext_ReadsThem()
    {
        var message = Read(
            """{"type":"identify","anonymousId":"a","traits":{},"context":{"traits":{"email":"ada@acme.example","plan":"pro"}}}""").Value;

        Assert.Equal([new(IdentityKey.Email, "ada@acme.example")], message.Person.Keys);
        Assert.Equal([new("plan", "\"pro\"")], message.Person.Facts);
        Assert.Equal(
            "traits.email is no e-mail address.",
            Read("""{"type":"identify","userId":"u","context":{"traits":{"email":"nobody"}}}""").Error!.Violations[0].Message);
    }

    [Theory]
    [InlineData("""{"companyEmail":"info@acme.example","email":"ada@acme.example"}""")]
    [InlineData("""{"email":"ada@acme.example","companyEmail":"info@acme.example"}""")]
    public void Read_SeveralAddresses_TheEmailIsThePersonsAndTheOtherATrait(string traits)
    {
        var person = Read($$"""{"type":"identify","anonymousId":"x","traits":{{traits}}}""").Value.Person;

        Assert.Equal([new(IdentityKey.Email, "ada@acme.example")], person.Keys);
        Assert.Equal([new("companyEmail", "\"info@acme.example\"")], person.Facts);
    }

    [Theory]
    [InlineData("identify", "traits", """{"work_email":"Ada@acme.example"}""")]
    [InlineData("track", "properties", """{"email":"","fields":{"Work E-Mail":"Ada@acme.example"}}""")]
    public void Read_NoEmailButAnother_StandsForIt(string type, string holder, string members) =>
        Assert.Equal(
            [new(IdentityKey.Email, "ada@acme.example")],
            Read($$"""{"type":"{{type}}","event":"Form Submitted","anonymousId":"x","{{holder}}":{{members}}}""").Value.Person.Keys);

    [Fact]
    public void Read_LongUserAgent_IsCut() =>
        Assert.True(Read($$$"""{"type":"page","anonymousId":"x","context":{"userAgent":"{{{new string('M', 9000)}}}"}}""").Succeeded);

    [Theory]
    [InlineData("phone", "phone")]
    [InlineData("employees", "company.employees")]
    [InlineData("annualRevenue", "company.annualRevenue")]
    [InlineData("title", "title")]
    public void Read_NullTrait_TakesItBackWhateverItIs(string trait, string key) =>
        Assert.Equal([new(key, "null")], Read($$$"""{"type":"identify","userId":"u","traits":{"{{{trait}}}":null}}""").Value.Person.Facts);

    [Fact]
    public void Read_CallByNumberAlone_NeedsNoDevice()
    {
        var message = Read(
            """{"type":"track","event":"Call Received","properties":{"callerNumber":"+49 30 123456","durationSeconds":120}}""").Value;

        Assert.Null(message.Device);
        Assert.Equal([new(IdentityKey.Phone, "+4930123456")], message.Person.Keys);
        Assert.Equal(CaptureType.Call, message.Person.Capture!.Type);
    }

    [Fact]
    public void Read_FormWithoutContact_MakesNobodyKnown() =>
        Assert.Null(
            Read("""{"type":"track","event":"Form Submitted","anonymousId":"x","properties":{"fields":{"topic":"prices"}}}""")
                .Value.Person.Capture);

    [Fact]
    public void Read_ManyFaults_NamesEach()
    {
        var error = Read(
            """{"type":"track","messageId":7.5,"timestamp":"yesterday","context":{"page":{"url":5}},"properties":[]}""").Error!;

        Assert.Equal(
            ["properties", "timestamp", "context.page.url", "event", "anonymousId"],
            error.Violations.Select(violation => violation.Field));
    }

    [Theory]
    [InlineData("""{"anonymousId":"x"}""", "type must be one of identify, track, page, screen, group, alias.")]
    [InlineData("""{"type":"Track","anonymousId":"x","event":"e"}""", "type must be one of identify, track, page, screen, group, alias.")]
    [InlineData("""{"type":"page"}""", "anonymousId or userId is required.")]
    [InlineData("""{"type":"group","userId":"u"}""", "groupId is required for group.")]
    [InlineData("""{"type":"alias","userId":"u"}""", "previousId is required for alias.")]
    [InlineData("""{"type":"identify","userId":"u","traits":{"email":"nobody"}}""", "traits.email is no e-mail address.")]
    [InlineData("""{"type":"page","anonymousId":"x","timestamp":"2026-03-02T09:11:00Z"}""", "timestamp lies more than 10 minutes ahead.")]
    [InlineData("""{"type":"page","anonymousId":"x","timestamp":"1970-01-01T00:00:00Z"}""", "timestamp lies before the year 2000.")]
    [InlineData(
        """{"type":"page","anonymousId":"x","timestamp":1772442000000}""",
        "timestamp must be an ISO 8601 time such as 2026-03-31T09:30:00Z.")]
    [InlineData(
        """{"type":"page","anonymousId":"x","properties":{"a":"\u0000"}}""",
        "The message holds U+0000, half of a surrogate pair or a number beyond 1e300.")]
    [InlineData(
        """{"type":"page","anonymousId":"x","properties":{"a":"\ud800"}}""",
        "The message holds U+0000, half of a surrogate pair or a number beyond 1e300.")]
    [InlineData(
        """{"type":"page","anonymousId":"x","properties":{"a":1e999999}}""",
        "The message holds U+0000, half of a surrogate pair or a number beyond 1e300.")]
    [InlineData(
        """{"type":"page","anonymousId":"x","properties":{"a":-2.5E+999}}""",
        "The message holds U+0000, half of a surrogate pair or a number beyond 1e300.")]
    [InlineData(
        """{"type":"page","anonymousId":"x","properties":{"a":-123456789123456789123456789123456789123456789123456789123456789123456789123456789123456789123456789123456789}}""",
        "The message holds U+0000, half of a surrogate pair or a number beyond 1e300.")]
    [InlineData("7", "A message must be an object.")]
    public void Read_OneFault_SaysWhatIsAccepted(string json, string message) =>
        Assert.Equal(message, Assert.Single(Read(json).Error!.Violations).Message);

    [Fact]
    public void Read_LargerThan32Kilobytes_IsRefused() =>
        Assert.Contains(
            "at most 32768", Read($$"""{"type":"page","anonymousId":"x","name":"{{new string('a', 33_000)}}"}""").Error!.Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData(18, null)]
    [InlineData(19, "The message is nested deeper than 20 levels.")]
    [InlineData(60, "The message is nested deeper than 20 levels.")]
    public void Read_Nested_IsTakenAsDeepAsOthersCanRead(int levels, string? message) => Assert.Equal(
        message, Read(
            $$$"""{"type":"page","anonymousId":"x","properties":{"a":{{{new string('[', levels)}}}{{{new string(']', levels)}}}}}""").Error
            ?.Message);

    [Fact]
    public void Read_ManyBracketsSideBySide_IsTaken()
    {
        var (list, text) = (string.Join(',', Enumerable.Repeat("{}", 500)), new string('[', 500));

        Assert.True(Read($$$"""{"type":"page","anonymousId":"x","properties":{"a":[{{{list}}}],"b":"{{{text}}}"}}""").Succeeded);
    }

    [Theory]
    // Sent an hour ahead by the sender's clock: the clock is wrong, not the message.
    [InlineData("2026-03-02T09:59:00Z", "2026-03-02T10:00:00Z", "2026-03-02T08:59:00Z")]
    [InlineData("2026-03-02T07:59:00Z", "2026-03-02T08:00:00Z", "2026-03-02T08:59:00Z")]
    // Seconds are the network's.
    [InlineData("2026-03-02T08:59:00Z", "2026-03-02T08:59:50Z", "2026-03-02T08:59:00Z")]
    // Sent long ago: a stored batch, replayed.
    [InlineData("2026-01-01T08:00:00Z", "2026-01-01T08:00:05Z", "2026-01-01T08:00:00Z")]
    [InlineData("2026-01-01T08:00:00+02:00", null, "2026-01-01T06:00:00Z")]
    [InlineData("2026-01-01T08:00:00", null, "2026-01-01T08:00:00Z")]
    public void Read_Timestamp_IsCorrectedForTheSendersClock(string timestamp, string? sentAt, string expected)
    {
        var sent = sentAt is null ? default(DateTimeOffset?) : DateTimeOffset.Parse(sentAt, null);
        var message = Read(
            $$"""{"type":"page","anonymousId":"x","timestamp":"{{timestamp}}"}""", new(Now, sent, null, null, SourceReader.Default)).Value;

        Assert.Equal(DateTimeOffset.Parse(expected, null), message.Time);
    }

    [Theory]
    [InlineData("""{"consent":{"categoryPreferences":{"Analytics":false}}}""")]
    [InlineData("""{"consent":{"analytics_storage":"denied"}}""")]
    [InlineData("""{"consent":false}""")]
    [InlineData("""{"gpc":true}""")]
    public void Read_AnalyticsDenied_IsDropped(string context) =>
        Assert.Equal(DropReason.Consent, Read($$"""{"type":"page","anonymousId":"x","context":{{context}}}""").Value.Dropped);

    [Theory]
    [InlineData("""{"consent":{"categoryPreferences":{"Advertising":false,"Analytics":true}}}""")]
    [InlineData("""{"consent":null}""")]
    [InlineData("{}")]
    public void Read_AnalyticsNotDenied_IsKept(string context) =>
        Assert.Equal(DropReason.None, Read($$"""{"type":"page","anonymousId":"x","context":{{context}}}""").Value.Dropped);

    [Fact]
    public void Read_Alias_NamesTheUserOnTheEarlierDevice()
    {
        var message = Read("""{"type":"alias","previousId":"anon-1","userId":"u1"}""").Value;

        Assert.Equal("anon-1", message.Device);
        Assert.False(message.Opens);
        Assert.Equal([new(IdentityKey.User, "u1"), new(IdentityKey.User, "anon-1")], message.Person.Keys);
    }

    [Fact]
    public void ActivityId_SameMessage_IsTheSameAndSortsByTime()
    {
        var workspace = Guid.CreateVersion7(Now);
        var early = Read("""{"type":"page","anonymousId":"x","messageId":"m","timestamp":"2026-01-01T00:00:00Z"}""").Value;
        var late = Read("""{"type":"page","anonymousId":"x","messageId":"n","timestamp":"2026-01-01T00:00:01Z"}""").Value;

        Assert.Equal(MessageReader.ActivityId(workspace, early), MessageReader.ActivityId(workspace, early));
        Assert.Equal(7, MessageReader.ActivityId(workspace, early).Version);
        Assert.True(string.CompareOrdinal(
            MessageReader.ActivityId(workspace, early).ToString(), MessageReader.ActivityId(workspace, late).ToString()) < 0);
    }

    private static Result<IngestMessage> Read(string json, Envelope? envelope = null) =>
        Reader.Read(JsonDocument.Parse(json).RootElement, envelope ?? new(Now, null, null, null, SourceReader.Default), 0);
}
