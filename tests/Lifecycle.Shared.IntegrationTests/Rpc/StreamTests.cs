using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lifecycle.Rpc;

namespace Lifecycle.Shared.IntegrationTests.Rpc;

public sealed class StreamTests(RpcHost host) : IClassFixture<RpcHost>
{
    [Fact]
    public async Task Watch_ByDefault_IsServerSentEvents()
    {
        var answer = await host.Send(HttpMethod.Get, "/v1/parcels:watch?count=2", RpcHost.Reader);

        Assert.Equal((200, "text/event-stream"), (answer.Status, answer.Type));
        // A heartbeat comes between them when the second between two heartbeats is over.
        var events = answer.Body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(text => text != ": alive");
        Assert.Equal([0, 1], events.Select(text => (int)JsonNode.Parse(text["data: ".Length..])!["pieces"]!));
    }

    [Fact]
    public async Task Watch_AcceptNdjson_IsOneMessagePerLine()
    {
        var answer = await host.Send(
            HttpMethod.Get, "/v1/parcels:watch?count=2", RpcHost.Reader,
            also: request => request.Headers.Add("Accept", "application/x-ndjson"));

        Assert.Equal("application/x-ndjson", answer.Type);
        Assert.Equal(
            [0, 1], answer.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (int)JsonNode.Parse(line)!["pieces"]!));
    }

    [Fact]
    public async Task Watch_FailureBeforeTheFirstMessage_IsAProblem()
    {
        var answer = await host.Send(HttpMethod.Get, "/v1/parcels:watch?fail=true", RpcHost.Reader);

        Assert.Equal((404, "application/problem+json"), (answer.Status, answer.Type));
    }

    [Fact]
    public async Task Watch_FailureAfterTheFirstMessage_CutsTheAnswer()
    {
        await Assert.ThrowsAsync<HttpRequestException>(
            () => host.Send(HttpMethod.Get, "/v1/parcels:watch?count=1&fail=true", RpcHost.Reader));
    }

    [Fact]
    public async Task Watch_NothingToTell_SendsHeadersAndHeartbeats()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/parcels:watch?count=-1");
        request.Headers.Add(IdentityToken.Header, host.Tokens.Issue(RpcHost.Reader));

        using var response = await host.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(": alive", await reader.ReadLineAsync());
        Assert.Equal("", await reader.ReadLineAsync());
        Assert.Equal(": alive", await reader.ReadLineAsync());
    }

    [Fact]
    public async Task Import_Csv_TellsRowsAndFaultsWithTheirLines()
    {
        const string Csv =
            "Email,name,note\r\na@x.io, Ann ,\r\n\r\nb@x.io,\"Bo\nB\",\"say \"\"hi\"\"\"\r\nc@x.io,too,many,cells\r\nd@x.io,few\r\ne@x.io,a\"b,x\r\nf@x.io,Fay,end";

        var summary = await Import(Csv, "text/csv", "?dryRun=true");

        Assert.Equal(
            ["2: Email=a@x.io, name=Ann, note=-", "4: Email=b@x.io, name=Bo\nB, note=say \"hi\"", "9: Email=f@x.io, name=Fay, note=end"],
            summary["lines"]!.AsArray().Select(line => (string)line!));
        Assert.Equal(
            ["6: The row has 4 cells; the header has 3.", "7: The row has 2 cells; the header has 3.",
                "8: A quotation mark stands in an unquoted cell, or is not closed."],
            summary["errors"]!.AsArray().Select(line => (string)line!));
        Assert.True((bool)summary["dryRun"]!);
    }

    [Fact]
    public async Task Import_NdJson_TellsRowsAndFaultsWithTheirLines()
    {
        const string Lines = "{\"email\":\"a@x.io\",\"age\":3,\"tags\":[1]}\n\n{\"email\":\nnull\n{\"email\":\" \"}";

        var summary = await Import(Lines, "application/x-ndjson", "");

        Assert.Equal(["1: email=a@x.io, age=3, tags=[1]", "5: email=-"], summary["lines"]!.AsArray().Select(line => (string)line!));
        Assert.Equal(["3: The JSON is malformed at position 10.", "4: The line is no JSON object."], summary["errors"]!.AsArray()
            .Select(line => (string)line!));
    }

    [Fact]
    public async Task Import_CsvRowThatIsNoUtf8_IsToldAndItsNeighboursRead()
    {
        var summary = await Import([.. "email,name\na@x.io,M"u8, 0xfc, .. "ller\nb@x.io,Müller\n"u8], "text/csv");

        Assert.Equal(["3: email=b@x.io, name=Müller"], summary["lines"]!.AsArray().Select(line => (string)line!));
        Assert.Equal(["2: The row holds bytes that are not UTF-8."], summary["errors"]!.AsArray().Select(line => (string)line!));
    }

    [Fact]
    public async Task Import_NdJsonRowThatIsNoText_IsToldAndItsNeighboursRead()
    {
        var summary = await Import(
            [
                .. "{\"name\":\"M"u8, 0xfc, .. "ller\"}\n"u8, .. """{"name":"\ud800"}"""u8, .. "\n"u8, .. """{"n\ud800":1}"""u8,
                .. "\n"u8, .. """{"name":"Müller"}"""u8,
            ],
            "application/x-ndjson");

        Assert.Equal(["4: name=Müller"], summary["lines"]!.AsArray().Select(line => (string)line!));
        Assert.Equal(
            ["1: The row holds bytes that are not UTF-8.", "2: The line holds half of a surrogate pair.",
                "3: The line holds half of a surrogate pair."],
            summary["errors"]!.AsArray().Select(line => (string)line!));
    }

    [Theory]
    [InlineData("/v1/parcels:import", "text/csv")]
    [InlineData("/v1/parcels", "application/json")]
    public async Task Send_CompressedBody_IsRefused(string path, string type)
    {
        using var body = Body("{}", type);
        body.Headers.ContentEncoding.Add("gzip");

        Assert.Equal(415, (await host.Send(HttpMethod.Post, path, RpcHost.Writer, body)).Status);
    }

    [Fact]
    public async Task Import_LongRequestId_IsRefused()
    {
        var answer = await host.Send(
            HttpMethod.Post, "/v1/parcels:import", RpcHost.Writer, Body("a\n1", "text/csv"),
            request => request.Headers.Add("Idempotency-Key", new string('r', 256)));

        Assert.Equal((400, "requestId"), (answer.Status, (string?)JsonNode.Parse(answer.Body)!["errors"]![0]!["field"]));
    }

    [Theory]
    [InlineData("a,a\n1,2", "1: The header names the column a twice.")]
    [InlineData("a,\n1,2", "1: The header has a column without a name.")]
    [InlineData("a,Stra\uffffe\n1,2", "1: The header holds bytes that are not UTF-8.")]
    public async Task Import_BadHeader_IsOneFault(string csv, string fault)
    {
        var summary = await Import(csv, "text/csv", "");

        Assert.Equal([fault], summary["errors"]!.AsArray().Select(line => (string)line!));
    }

    [Fact]
    public async Task Import_UnknownParameter_IsNamed()
    {
        var answer = await host.Send(HttpMethod.Post, "/v1/parcels:import?dry=1&dryRun=perhaps", RpcHost.Writer, Body("a\n1", "text/csv"));

        Assert.Equal(400, answer.Status);
        Assert.Equal(["dry", "dryRun"], JsonNode.Parse(answer.Body)!["errors"]!.AsArray().Select(error => (string)error!["field"]!));
    }

    [Fact]
    public async Task Import_LargerThanTheBodyLimit_IsStreamed()
    {
        var csv = new StringBuilder("email,title\n");
        for (var row = 0; row < 200_000; row++)
        {
            csv.Append("someone@example.com,Head of Something\n");
        }

        var summary = await Import(csv.ToString(), "text/csv", "");

        Assert.Equal(200_000, (int)summary["rows"]!);
    }

    private Task<JsonNode> Import(string text, string type, string query) => Import(Encoding.UTF8.GetBytes(text), type, query);

    private async Task<JsonNode> Import(byte[] bytes, string type, string query = "")
    {
        using var body = new ByteArrayContent(bytes);
        body.Headers.ContentType = new(type);
        var answer = await host.Send(HttpMethod.Post, "/v1/parcels:import" + query, RpcHost.Writer, body);
        Assert.True(answer.Status == 200, answer.Body + string.Join('\n', host.Errors));
        return JsonNode.Parse(answer.Body)!;
    }

    private static StringContent Body(string text, string type) => new(text, Encoding.UTF8, type);
}
