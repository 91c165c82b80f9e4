using System.Buffers.Binary;
using System.Net.Http.Headers;
using System.Text;
using Google.Protobuf;
using Lifecycle.Capture.V1;
using Lifecycle.Gateway.V1;

namespace Lifecycle.Gateway.IntegrationTests;

[Collection(nameof(GatewayGroup))]
public sealed class GrpcWebTests(GatewayFixture gateway)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_OfAService_AnswersMessageAndTrailers(bool isText)
    {
        var (type, frames) = await Call("lifecycle.capture.v1.LeadService/GetLead", new GetLeadRequest { Id = "7" }, gateway.Key, isText);

        Assert.Equal(isText ? "application/grpc-web-text+proto" : "application/grpc-web+proto", type);
        Assert.Equal([0, 0x80], frames.Select(frame => (int)frame.Flags));
        Assert.Equal(
            ("7", gateway.Workspace), (Lead.Parser.ParseFrom(frames[0].Data).Id, Lead.Parser.ParseFrom(frames[0].Data).ExternalId));
        Assert.Contains("grpc-status:0\r\n", Encoding.ASCII.GetString(frames[1].Data), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_OfTheGateway_AnswersMessageAndTrailers(bool isText)
    {
        var (_, frames) = await Call(
            "lifecycle.gateway.v1.WorkspaceService/GetWorkspace", new GetWorkspaceRequest { Id = gateway.Workspace }, gateway.Key, isText);

        Assert.Equal("Europe/Berlin", Workspace.Parser.ParseFrom(frames[0].Data).TimeZone);
        Assert.Contains("grpc-status:0\r\n", Encoding.ASCII.GetString(frames[1].Data), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "16")]
    [InlineData("known", "5")]
    public async Task Call_ThatFails_TellsItsStatus(string? key, string status)
    {
        using var response = await Send(
            "lifecycle.capture.v1.LeadService/GetLead", new GetLeadRequest { Id = "unknown" },
            key is null ? null : gateway.Key, isText: false);
        var trailers = Encoding.ASCII.GetString(await response.Content.ReadAsByteArrayAsync());

        var told = response.Headers.TryGetValues("grpc-status", out var values)
            ? values.Single()
            : trailers.Split("grpc-status:")[1].Split('\r')[0];
        Assert.Equal(status, told);
    }

    private async Task<(string? Type, List<(byte Flags, byte[] Data)> Frames)> Call(
        string method, IMessage message, string key, bool isText)
    {
        using var response = await Send(method, message, key, isText);
        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.IsSuccessStatusCode, Encoding.UTF8.GetString(body));
        body = isText ? Decode(Encoding.ASCII.GetString(body)) : body;
        var frames = new List<(byte, byte[])>();
        for (var at = 0; at < body.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(at + 1));
            frames.Add((body[at], body[(at + 5)..(at + 5 + length)]));
            at += 5 + length;
        }

        return (response.Content.Headers.ContentType?.MediaType, frames);
    }

    private Task<HttpResponseMessage> Send(string method, IMessage message, string? key, bool isText)
    {
        var data = message.ToByteArray();
        var frame = new byte[5 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), data.Length);
        data.CopyTo(frame, 5);
        var content = isText ? new ByteArrayContent(Encoding.ASCII.GetBytes(Convert.ToBase64String(frame))) : new ByteArrayContent(frame);
        content.Headers.ContentType = new MediaTypeHeaderValue(isText ? "application/grpc-web-text+proto" : "application/grpc-web+proto");
        var request = new HttpRequestMessage(HttpMethod.Post, $"/{method}") { Content = content };
        request.Headers.Add("X-Grpc-Web", "1");
        if (key is not null)
        {
            request.Headers.Authorization = new("Bearer", key);
        }

        return gateway.Http.SendAsync(request);
    }

    /// <summary>Base64 pieces, each padded by itself.</summary>
    private static byte[] Decode(string text)
    {
        var bytes = new List<byte>();
        for (var at = 0; at < text.Length; at += 4)
        {
            bytes.AddRange(Convert.FromBase64String(text.Substring(at, 4)));
        }

        return bytes.ToArray();
    }
}
