using Grpc.Core;
using Lifecycle.Retention.V1;

namespace Lifecycle.Gateway.IntegrationTests;

/// <summary>The routes of Retention lead to it: here it is down, and that is what they tell.</summary>
[Collection(nameof(GatewayGroup))]
public sealed class RetentionRouteTests(GatewayFixture gateway)
{
    [Theory]
    [InlineData("/v1/currencyRates")]
    [InlineData("/v1/customers/7/contacts")]
    [InlineData("/v1/customers/7/risk")]
    [InlineData("/v1/customers/7/signals")]
    [InlineData("/v1/riskModel")]
    [InlineData("/v1/expansionRules")]
    [InlineData("/v1/expansionSuggestions")]
    [InlineData("/v1/reports/churn")]
    [InlineData("/v1/reports/survival")]
    [InlineData("/v1/reports/renewals")]
    [InlineData("/v1/reports/mrr/customers")]
    public async Task Get_EachRoute_ReachesRetentionAndAsksForAKey(string path)
    {
        Assert.Equal(503, (await gateway.Get(path, gateway.Key)).Status);
        Assert.Equal(401, (await gateway.Get(path)).Status);
    }

    [Fact]
    public async Task Grpc_NewServices_ReachRetention()
    {
        var headers = new Metadata { { "authorization", $"Bearer {gateway.Key}" } };

        var risk = await Assert.ThrowsAsync<RpcException>(
            async () => await new RiskService.RiskServiceClient(gateway.Channel).GetRiskModelAsync(new(), headers));
        var rates = await Assert.ThrowsAsync<RpcException>(
            async () => await new CurrencyRateService.CurrencyRateServiceClient(gateway.Channel).ListCurrencyRatesAsync(new(), headers));

        Assert.Equal((StatusCode.Unavailable, StatusCode.Unavailable), (risk.StatusCode, rates.StatusCode));
    }
}
