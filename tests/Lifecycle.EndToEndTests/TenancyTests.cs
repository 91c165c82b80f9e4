using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Lifecycle.Capture.V1;
using Lifecycle.Conversion.V1;
using Lifecycle.Nurture.V1;
using Lifecycle.Retention.V1;
using Lifecycle.Scoring.V1;
using Npgsql;

namespace Lifecycle.EndToEndTests;

/// <summary>A workspace can neither read nor guess another's data, by REST, by gRPC or by SQL in a service's role.</summary>
public sealed class TenancyTests(RunningSuite suite)
{
    private static readonly string[] Schemas = ["capture", "scoring", "nurture", "conversion", "retention"];

    [Fact]
    public async Task Rest_IdsOfAnotherWorkspace_AreNotFound()
    {
        using var walk = new Walk(suite);
        await walk.Run();
        using var stranger = await Workspace.Open(suite);
        string[] paths =
        [
            $"/v1/leads/{walk.LeadId}", $"/v1/leads/{walk.LeadId}/journey", $"/v1/leads/{walk.LeadId}/stage", $"/v1/scores/{walk.LeadId}",
            $"/v1/scores/{walk.LeadId}:explain", $"/v1/programs/{walk.ProgramId}", $"/v1/handoffs/{walk.HandoffId}",
            $"/v1/opportunities/{walk.OpportunityId}", $"/v1/customers/{walk.CustomerId}",
        ];

        foreach (var path in paths)
        {
            Assert.Equal(HttpStatusCode.OK, (await walk.Api.Send(HttpMethod.Get, path)).Status);
            Assert.Equal(HttpStatusCode.NotFound, (await stranger.Api.Send(HttpMethod.Get, path)).Status);
        }

        foreach (var (path, list) in new[]
        {
            ("/v1/leads", "leads"), ("/v1/handoffs", "handoffs"), ("/v1/opportunities", "opportunities"), ("/v1/customers", "customers"),
            ("/v1/programs", "programs")
        })
        {
            Assert.Equal(0, (await stranger.Api.Get(path))[list]?.AsArray().Count ?? 0);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await stranger.Api.Send(HttpMethod.Delete, $"/v1/leads/{walk.LeadId}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await walk.Api.Send(HttpMethod.Get, $"/v1/leads/{walk.LeadId}")).Status);
    }

    [Fact]
    public async Task Grpc_IdsOfAnotherWorkspace_AreNotFound()
    {
        using var walk = new Walk(suite);
        await walk.Run();
        using var stranger = await Workspace.Open(suite);
        using var channel = GrpcChannel.ForAddress(suite.GatewayGrpc);
        Func<Metadata, Task>[] calls =
        [
            async headers => await new LeadService.LeadServiceClient(channel).GetLeadAsync(new() { Id = walk.LeadId }, headers),
            async headers => await new ScoringService.ScoringServiceClient(channel).GetScoreAsync(new() { LeadId = walk.LeadId }, headers),
            async headers => await new ProgramService.ProgramServiceClient(channel).GetProgramAsync(new() { Id = walk.ProgramId }, headers),
            async headers => await new StageService.StageServiceClient(channel).GetLeadStageAsync(new() { LeadId = walk.LeadId }, headers),
            async headers => await new CustomerService.CustomerServiceClient(channel).GetCustomerAsync(
                new() { Id = walk.CustomerId }, headers),
        ];

        foreach (var call in calls)
        {
            await call(new() { { "authorization", $"Bearer {walk.Key}" } });
            var refused = await Assert.ThrowsAsync<RpcException>(() => call(new() { { "authorization", $"Bearer {stranger.Key}" } }));
            Assert.Equal(StatusCode.NotFound, refused.StatusCode);
        }
    }

    [Fact]
    public async Task Sql_AsEveryServicesRole_ShowsNothingOfOthers()
    {
        using var walk = new Walk(suite);
        await walk.Run();
        foreach (var schema in Schemas)
        {
            await using var connection = new NpgsqlConnection(suite.Database(schema));
            await connection.OpenAsync();
            var tables = await Column(
                connection,
                $"select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped where c.relnamespace = '{schema}'::regnamespace and c.relkind in ('r', 'p')");
            Assert.NotEmpty(tables);
            foreach (var table in tables)
            {
                // No workspace, and another workspace: nothing.
                Assert.Equal(["0"], await Column(connection, $"select count(*)::text from {schema}.{table}"));
                Assert.Equal(["0"], await Column(
                    connection,
                    $"begin; set local app.workspace_id = '{Guid.CreateVersion7()}'; select count(*)::text from {schema}.{table}; commit"));
            }

            Assert.Equal(
                ["false"], await Column(connection, "select (rolsuper or rolbypassrls)::text from pg_roles where rolname = current_user"));
            Assert.Equal(["0"], await Column(
                connection,
                "select count(*)::text from pg_class where relowner = (select oid from pg_roles where rolname = current_user)"));
        }
    }

    private static async Task<List<string>> Column(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        do
        {
            while (await reader.ReadAsync())
            {
                values.Add(reader.GetString(0));
            }
        }
        while (await reader.NextResultAsync());

        return values;
    }
}
