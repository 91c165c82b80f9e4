using Grpc.Core;
using Grpc.Net.Client;
using Lifecycle.Common.V1;
using Lifecycle.Contracts;
using Lifecycle.Scoring.V1;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

/// <summary>Over gRPC, as other services and gRPC clients call.</summary>
public sealed class PersonDataTests(ScoringFixture scoring)
{
    [Fact]
    public async Task ExportPerson_KnownAndErased_TellsAllAndNothing()
    {
        var (workspace, lead, now) = (await scoring.Workspace(), Guid.CreateVersion7(), Times.Now);
        var (activities, form) = Given.Walk(workspace, lead, now);
        await scoring.Bus.Publish(Given.Captured(workspace, lead, form));
        await scoring.Bus.Publish(activities);
        await scoring.Bus.Until<LeadQualified>(1, e => e.LeadId == lead);
        using var channel = GrpcChannel.ForAddress(scoring.Service.Grpc);
        var client = new PersonDataService.PersonDataServiceClient(channel);
        var headers = new Metadata { { "x-lifecycle-identity", IdentityTokens.Issue(workspace) } };

        var data = (await client.ExportPersonAsync(new() { LeadId = lead.ToString() }, headers)).Data.Fields;
        Assert.Equal(["activities", "points", "qualifications", "scores"], data.Keys.Order());
        Assert.Equal(6, data["activities"].ListValue.Values.Count);
        Assert.Equal(11, data["points"].ListValue.Values.Count);
        Assert.Equal(
            "ada@example.com", data["scores"].ListValue.Values[0].StructValue.Fields["profile"].StructValue.Fields["email"].StringValue);

        await scoring.Bus.Publish(Given.Erased(workspace, lead, now));
        await Eventually.Equal(
            0, async () => (await client.ExportPersonAsync(new() { LeadId = lead.ToString() }, headers)).Data.Fields.Count,
            "nothing is held");
    }

    [Fact]
    public async Task GetScore_UnknownLead_IsNotFoundOverGrpcToo()
    {
        using var channel = GrpcChannel.ForAddress(scoring.Service.Grpc);
        var client = new ScoringService.ScoringServiceClient(channel);
        var workspace = await scoring.Workspace();

        var call = async (string? token) => (await Assert.ThrowsAsync<RpcException>(async () => await client.GetScoreAsync(
            new() { LeadId = Guid.CreateVersion7().ToString() },
            token is null ? [] : new Metadata { { "x-lifecycle-identity", token } }))).StatusCode;
        Assert.Equal(StatusCode.NotFound, await call(IdentityTokens.Issue(workspace)));
        Assert.Equal(StatusCode.PermissionDenied, await call(IdentityTokens.Issue(workspace, "capture:read")));
        Assert.Equal(StatusCode.Unauthenticated, await call(null));
    }
}
