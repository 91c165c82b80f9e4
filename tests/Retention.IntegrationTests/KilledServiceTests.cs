using Lifecycle.Testing;

namespace Retention.IntegrationTests;

/// <summary>Runs when no other test does: it takes the shared service away.</summary>
[CollectionDefinition(nameof(KilledServiceTests), DisableParallelization = true)]
[Collection(nameof(KilledServiceTests))]
public sealed class KilledServiceTests(RetentionFixture fixture)
{
    [Fact]
    public async Task Service_KilledWhileEventsArrive_CountsEachOnce()
    {
        var tenant = new Tenant(fixture);
        var leads = Enumerable.Range(0, 60).Select(_ => Guid.CreateVersion7()).ToArray();
        foreach (var (lead, index) in leads.Select((lead, index) => (lead, index)))
        {
            await tenant.Publish(tenant.Booked(lead, 100, new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero)));
            if (index == 30)
            {
                await fixture.Service.Kill();
                await fixture.Service.Start();
            }
        }

        await Eventually.Equal(6000d, () => tenant.Metric("total_sales", "2026-01-01", "2027-01-01", "YEAR"), "every booking, once");
        Assert.Equal(60, (await tenant.Get("/v1/customers?pageSize=1000"))["customers"]!.AsArray().Count);
    }
}
