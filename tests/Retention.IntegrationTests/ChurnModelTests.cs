using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>The model learnt from the workspace's own losses.</summary>
public sealed class ChurnModelTests(RetentionFixture fixture)
{
    private const int Lost = 80;
    private const int Stayed = 160;

    [Fact]
    public async Task Train_TooLittleHistory_SaysWhatIsMissing()
    {
        var tenant = new Tenant(fixture);

        var refused = await tenant.Post("/v1/churnModel:train", new { }, HttpStatusCode.BadRequest);
        var wrong = await tenant.Post("/v1/churnModel:train", new { horizonDays = 10 }, HttpStatusCode.BadRequest);

        Assert.Equal("FAILED_PRECONDITION", (string)refused["code"]!);
        Assert.EndsWith(
            "50 more that were lost and 50 more that stayed are missing.", (string)refused["detail"]!, StringComparison.Ordinal);
        Assert.Equal("horizonDays", (string)wrong["errors"]![0]!["field"]!);
        await tenant.Call(HttpMethod.Get, "/v1/churnModel", expected: HttpStatusCode.NotFound);
        await tenant.Post("/v1/churnModel:retire", new { }, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Train_KnownHistory_LearnsWhatWasKnownThenAndNothingLater()
    {
        var tenant = new Tenant(fixture);
        await History(tenant);

        var model = await tenant.Post("/v1/churnModel:train", new { requestId = "1", horizonDays = 90 });
        var again = await tenant.Post("/v1/churnModel:train", new { requestId = "1", horizonDays = 90 });

        Assert.True(JsonNode.DeepEquals(model, again));
        var (quality, features) = (model["quality"]!, model["features"]!.AsArray());
        // At each of four instants all were with us, and only after the last of them some were lost.
        Assert.Equal((Lost, (4 * (Lost + Stayed)) - Lost, Lost + Stayed), (
            (int)quality["lostCases"]!, (int)quality["stayedCases"]!, (int)quality["customers"]!));
        var payment = features.Single(feature => (string)feature!["factor"]! == "PAYMENT")!;
        Assert.True((double)payment["logOdds"]! > 1 && (double)payment["oddsRatio"]! > 2, payment.ToJsonString());
        // Support was asked for by every lost customer, but after the instant; the plan was changed by every staying one, but after the
        // instant.
        Assert.DoesNotContain(features, feature => (string)feature!["factor"]! is "SUPPORT" or "PLAN");
        Assert.InRange((double)quality["auc"]!, 0.7, 1);
        Assert.True((double)quality["brierScore"]! < (double)quality["baseBrierScore"]!);
        Assert.Equal(4 * (Lost + Stayed), quality["calibration"]!.AsArray().Sum(bin => (int)bin!["cases"]!));

        await Predictions(tenant);
    }

    private static async Task Predictions(Tenant tenant)
    {
        var customers = (await tenant.Get(
            $"/v1/customers?pageSize=1000&filter={Uri.EscapeDataString("state != \"CHURNED\"")}"))["customers"]!.AsArray();
        var (failing, calm) = ((string)customers[0]!["id"]!, (string)customers[1]!["id"]!);
        await tenant.Post($"/v1/customers/{failing}/signals", new { kind = "PAYMENT_FAILED" });
        await tenant.Post($"/v1/customers/{failing}/signals", new { kind = "PAYMENT_FAILED" });
        var (risky, safe) = (
            await tenant.Get($"/v1/customers/{failing}/churnPrediction"), await tenant.Get($"/v1/customers/{calm}/churnPrediction"));

        Assert.True((double)risky["probability"]! > (double)safe["probability"]!, $"{risky} {safe}");
        Assert.StartsWith("Failed payments", (string)risky["factors"]![0]!["name"]!, StringComparison.Ordinal);
        var told = (double)(await tenant.Get($"/v1/customers/{failing}"))["churnProbability"]!;
        Assert.Equal((double)risky["probability"]!, told, 6);
        // The score by fixed weights stands beside it: two failed payments of 60 days.
        Assert.True((double)(await tenant.Get($"/v1/customers/{failing}"))["riskScore"]! >= 20);

        // The job tells the others, and after the model is retired takes back what was told.
        await tenant.Publish(new WorkspaceUpdated(Guid.CreateVersion7(), tenant.Id, Tenant.Now, 1, "A", "UTC", "USD"));
        await Eventually.True(
            async () => (await tenant.Get($"/v1/customers/{calm}"))["churnProbability"] is not null, "the job's probability");
        Assert.Equal(2, (int)(await tenant.Post("/v1/churnModel:train"))["version"]!);
        Assert.NotNull((await tenant.Get("/v1/churnModel?version=1"))["retireTime"]);
        await tenant.Post("/v1/churnModel:retire");
        await tenant.Call(HttpMethod.Get, $"/v1/customers/{calm}/churnPrediction", expected: HttpStatusCode.BadRequest);
        await Eventually.True(
            async () => (await tenant.Get($"/v1/customers/{calm}"))["churnProbability"] is null, "no probability without a model");
    }

    /// <summary>
    /// Customers that began 400 days ago; 80 left 60 days ago, of whom 60 had failed payments 100 days ago, as had 20 of those that stayed.
    /// </summary>
    private async Task History(Tenant tenant)
    {
        var now = Tenant.Now;
        string At(int daysAgo) => now.AddDays(-daysAgo).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null);
        var names = Enumerable.Range(0, Lost + Stayed).Select(index => $"c{index:000}").ToArray();
        await Import(tenant, "/v1/customers:import", "externalId,startTime,plan\n"
            + string.Concat(names.Select(name => $"{name},{At(400)},basic\n")));
        await Import(
            tenant, "/v1/revenue:import",
            "customerExternalId,externalId,type,amount,recurrence,occurTime\n" + string.Concat(names.Select((name, index) =>
                $"{name},{name}-1,NEW,{100 + (index % 7)},MONTHLY,{At(400)}\n"
                    + (index < Lost ? $"{name},{name}-2,CHURN,,,{At(60)}\n" : ""))));
        await using var connection = await fixture.Database.Administrator.OpenConnectionAsync();
        await connection.ExecuteAsync(
            """
            insert into retention.customer_signal (workspace_id, id, customer_id, kind, quantity, name, time)
            select workspace_id, gen_random_uuid(), id, 'PAYMENT_FAILED', 1, '', @failed from retention.customer
            where workspace_id = @workspace and (external_id < 'c060' or external_id >= 'c220');
            insert into retention.customer_signal (workspace_id, id, customer_id, kind, quantity, name, time)
            select workspace_id, gen_random_uuid(), id, 'SUPPORT', 1, '', @support from retention.customer
            where workspace_id = @workspace and external_id < 'c080';
            """,
            new { workspace = tenant.Id, failed = now.AddDays(-100).ToUniversalTime(), support = now.AddDays(-80).ToUniversalTime() });
        await Import(tenant, "/v1/customers:import", "externalId,plan\n" + string.Concat(names.Skip(Lost).Select(name => $"{name},pro\n")));
    }

    private static async Task Import(Tenant tenant, string path, string file)
    {
        var answer = await tenant.Call(HttpMethod.Post, path, new StringContent(file, Encoding.UTF8, "text/csv"));
        Assert.True((int)answer["rejectedCount"]! == 0, answer.ToJsonString());
    }
}
