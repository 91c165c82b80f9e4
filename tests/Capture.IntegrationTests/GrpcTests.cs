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
            },
        };

        var answer = await new IngestService.IngestServiceClient(channel).BatchAsync(request, headers);

        Assert.Equal(1, answer.Accepted);
        Assert.Equal(["event is required for track.", "anonymousId or userId is required."], Assert.Single(answer.Rejected).Errors);
        var lead = Assert.Single((await new LeadService.LeadServiceClient(channel).ListLeadsAsync(new(), headers)).Leads);
        Assert.Equal((Lead.Types.CaptureType.Chat, "ada@acme.example"), (lead.CaptureType, lead.Email));
    }
}
