using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Capture.Domain.Messages;

namespace Capture.UnitTests.Messages;

public sealed class VendorReportsTests
{
    [Theory]
    [InlineData("callerNumber", "phone")]
    [InlineData("caller_number", "phone")]
    [InlineData("From", "phone")]
    [InlineData("customer_phone_number", "phone")]
    [InlineData("CallSid", "id")]
    [InlineData("tracking-phone-number", "trackingNumber")]
    [InlineData("talk_time", "durationSeconds")]
    [InlineData("Call Status", "answered")]
    [InlineData("recording", "recordingUrl")]
    [InlineData("utm_campaign", "campaign")]
    [InlineData("landing_page_url", "landingPage")]
    [InlineData("visitorId", "anonymousId")]
    [InlineData("weather", null)]
    public void OfCall_AnySpelling_IsTheOneName(string name, string? expected) => Assert.Equal(expected, VendorNames.OfCall(name));

    [Fact]
    public void Call_FlatReport_IsTheTrackEvent()
    {
        var message = Call(Json("""
            {"CallSid":"CA1","From":"+49 (30) 123-456","caller_name":"Ada","to":"0800 1","duration":"2:05","status":"completed","start_time":"2026-03-02 10:00:00",
             "recording":"https://vendor.example/r/1","utm_source":"google","utm_medium":"cpc","landing_page":"https://acme.example/","score":7,"tags":["a"],"empty":""}
            """));

        Assert.Equal(
            """
            {"type":"track","event":"Call Received","properties":{"score":7,"phone":"+4930123456","name":"Ada","trackingNumber":"0800 1","durationSeconds":125,"answered":true,"recordingUrl":"https://vendor.example/r/1"},"messageId":"call:CA1","timestamp":"2026-03-02T10:00:00.000000Z","context":{"page":{"url":"https://acme.example/"},"campaign":{"source":"google","medium":"cpc"}}}
            """.Trim(),
            message.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Theory]
    [InlineData("""{"duration":65}""", 65)]
    [InlineData("""{"duration":"65"}""", 65)]
    [InlineData("""{"duration":"65.9"}""", 65)]
    [InlineData("""{"duration":"1:02:03"}""", 3723)]
    [InlineData("""{"duration":"long"}""", null)]
    [InlineData("""{"duration":"-5"}""", null)]
    [InlineData("""{"duration":null}""", null)]
    public void Call_Duration_IsSecondsOrLeftOut(string json, int? expected) =>
        Assert.Equal(expected, (int?)Call(Json(json))["properties"]!["durationSeconds"]?.GetValue<long>());

    [Theory]
    [InlineData("""{"answered":true}""", true)]
    [InlineData("""{"answered":"no"}""", false)]
    [InlineData("""{"answered":0}""", false)]
    [InlineData("""{"callStatus":"no-answer"}""", false)]
    [InlineData("""{"disposition":"ANSWERED"}""", true)]
    public void Call_Answered_IsAFlag(string json, bool expected) =>
        Assert.Equal(expected, Call(Json(json))["properties"]!["answered"]!.GetValue<bool>());

    [Theory]
    [InlineData("1772445600", "2026-03-02T10:00:00.000000Z")]
    [InlineData("\"1772445600000\"", "2026-03-02T10:00:00.000000Z")]
    [InlineData("\"2026-03-02T12:00:00+02:00\"", "2026-03-02T10:00:00.000000Z")]
    [InlineData("\"2026-03-02\"", "2026-03-02T00:00:00.000000Z")]
    [InlineData("\"yesterday\"", null)]
    [InlineData("17", null)]
    [InlineData("\"2026-03-10T12:10:00\"", "2026-03-10T12:10:00.000000Z")]
    [InlineData("\"2026-03-10 14:00:00\"", null)]
    [InlineData("\"1970-01-01T00:00:00Z\"", null)]
    public void Call_Time_IsReadOrLeftOut(string value, string? expected) =>
        Assert.Equal(expected, Call(Json($$"""{"timestamp":{{value}}}"""))["timestamp"]?.GetValue<string>());

    [Fact]
    public void Chat_PersonInAnObjectOfItsOwn_IsReadAsIfFlat()
    {
        var message = Chat(Json("""
            {"conversation_id":9,"visitor":{"name":"Ada","email":" ADA@acme.example","deep":{"x":1}},"message":"Hello","page":"https://acme.example/pricing","visitorId":"anon-1"}
            """));

        Assert.Equal(("Chat Started", "chat:9", "anon-1"), (
            message["event"]!.GetValue<string>(), message["messageId"]!.GetValue<string>(), message["anonymousId"]!.GetValue<string>()));
        Assert.Equal("""{"name":"Ada","email":"ada@acme.example","message":"Hello"}""", message["properties"]!.ToJsonString());
        Assert.Equal("https://acme.example/pricing", message["context"]!["page"]!["url"]!.GetValue<string>());
    }

    [Fact]
    public void Chat_WrongEmail_IsLeftOutAndTheRestKept() =>
        Assert.Equal(
            """{"phone":"+4930123456"}""", Chat(Json("""{"email":"nobody","phone":"+49 30 123456"}"""))["properties"]!.ToJsonString()
                .Replace("\\u002B", "+", StringComparison.Ordinal));

    [Fact]
    public void Call_WithoutId_IsKnownAgainByItsContent()
    {
        var (first, same, other) = (
            Call(Json("""{"from":"1234567"}""")), Call(Json("""{"from":"1234567"}""")), Call(Json("""{"from":"1234568"}""")));

        Assert.Equal(first["messageId"]!.GetValue<string>(), same["messageId"]!.GetValue<string>());
        Assert.NotEqual(first["messageId"]!.GetValue<string>(), other["messageId"]!.GetValue<string>());
    }

    [Fact]
    public void Chat_BytesThatAreNoText_AreLeftOutAndTheRestKeptWithoutAnId()
    {
        using var report = JsonDocument.Parse((byte[])[.. "{\"email\":\"ada@acme.example\",\"name\":\"J"u8, 0xff, .. "\"}"u8]);

        Assert.Equal("""{"email":"ada@acme.example"}""", Chat(report.RootElement)["properties"]!.ToJsonString());
    }

    [Fact]
    public void Chat_TextNobodyCanRead_IsLeftOutAndTheRestKept() =>
        Assert.Equal(
            """{"page_no":3,"email":"ada@acme.example"}""",
            Chat(Json(
                """{"page_no":3,"email":"ada@acme.example","message":"\ud800","\udc00":"x","a\u0000b":"y","size":1e999}"""))["properties"]!
                .ToJsonString());

    [Fact]
    public void Chat_LongerThanAMessage_KeepsThePersonAndWhatFits()
    {
        var transcript = new string('\u6f22', 4000);

        var message = Chat(Json(JsonSerializer.Serialize(
            new { email = "ada@acme.example", name = "Ada", transcript, notes = transcript[..3000], summary = transcript })));

        Assert.Equal(["notes", "email", "name", "message"], message["properties"]!.AsObject().Select(property => property.Key));
        Assert.InRange(JsonSerializer.SerializeToUtf8Bytes(message, VendorReports.Json).Length, 1, MessageReader.MaxBytes);
    }

    private static readonly DateTimeOffset Received = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    private static JsonObject Call(JsonElement report) => VendorReports.Call(report, Received);

    private static JsonObject Chat(JsonElement report) => VendorReports.Chat(report, Received);

    private static JsonElement Json(string json) => JsonDocument.Parse(json).RootElement;
}
