using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Lifecycle.Capture.V1;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

public sealed class GrpcTests(CaptureFixture fixture)
{
    [Fact]
    public async Task Batch_OverGrpc_IsReadByTheSameRules()
    {
        var workspace = fixture.Workspace();
        using var channel = GrpcChannel.ForAddress(fixture.Service.Grpc);
        var headers = new Metadata
        {
            { "x-lifecycle-identity", IdentityTokens.Issue(workspace.WorkspaceId, "UTC", "USD", "capture:write", "capture:read") }
        };
        var request = new BatchRequest
        {
            Batch =
            {
                new IngestMessage
                {
                    Type = "track", Event = "Chat Started", AnonymousId = "a", MessageId = "m1",
                    Timestamp = Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch.AddYears(56)),
                    Properties = new Struct { Fields = { ["email"] = Value.ForString("ada@acme.example") } },
                },
                new IngestMessage { Type = "track" },
                // A sender's milliseconds for seconds.
                new IngestMessage { Type = "track", Event = "E", AnonymousId = "a", Timestamp = new() { Seconds = 1_774_958_400_000 } },
            },
        };

        var answer = await new IngestService.IngestServiceClient(channel).BatchAsync(request, headers);

        Assert.Equal(1, answer.Accepted);
        Assert.Equal([1, 2], answer.Rejected.Select(rejected => rejected.Index));
        Assert.Equal(["event is required for track.", "anonymousId or userId is required."], answer.Rejected[0].Errors);
        Assert.Equal(
            ["timestamp must be a time in the years 1 to 9999, in seconds since 1970 and nanoseconds."], answer.Rejected[1].Errors);
        var lead = Assert.Single((await new LeadService.LeadServiceClient(channel).ListLeadsAsync(new(), headers)).Leads);
        Assert.Equal((Lead.Types.CaptureType.Chat, "ada@acme.example"), (lead.CaptureType, lead.Email));
    }

    [Fact]
    public async Task RecordCall_TimeThatIsNone_IsRejectedAndNoError()
    {
        var workspace = fixture.Workspace();
        using var channel = GrpcChannel.ForAddress(fixture.Service.Grpc);
        var headers = new Metadata
        {
            { "x-lifecycle-identity", IdentityTokens.Issue(workspace.WorkspaceId, "UTC", "USD", "capture:write") }
        };

        var answer = await new ReportService.ReportServiceClient(channel).RecordCallAsync(
            new() { CallId = "c", CallerNumber = "+49 30 123456", StartTime = new() { Seconds = 1_774_958_400_000 } }, headers);

        Assert.Equal(
            ["startTime must be a time in the years 1 to 9999, in seconds since 1970 and nanoseconds."],
            Assert.Single(answer.Rejected).Errors);
    }
}
