using Lifecycle.Scoring.Features.SimulateModel;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Features;

public sealed class SimulationTallyTests
{
    [Fact]
    public void ToResponse_SixLeads_CountsWhatTheDraftChanges()
    {
        var tally = new SimulationTally(sampleSize: 1);
        tally.Add(
            [
                new(Id(1), At(5), null, true), new(Id(2), At(2), null, false), new(Id(3), null, At(3), true),
                new(Id(4), At(1), At(4), true), new(Id(5), At(8), At(8), false), new(Id(6), null, null, true),
            ],
            100);
        tally.Add([new(Id(7), At(9), At(7), false)], 11);

        var response = tally.ToResponse();

        Assert.Equal((7, 4, 111L), (response.Leads, response.Customers, response.Activities));
        Assert.Equal(
            (5, 2, 0.4, 0.5), (response.Draft.Qualified, response.Draft.BecameCustomers, response.Draft.Precision, response.Draft.Recall));
        Assert.Equal((4, 2, 0.5, 0.5), (
            response.Current.Qualified, response.Current.BecameCustomers, response.Current.Precision, response.Current.Recall));
        var change = response.Comparison;
        Assert.Equal((2, 1, 1, 1), (
            change.NewlyQualified, change.NewlyQualifiedCustomers, change.NoLongerQualified, change.NoLongerQualifiedCustomers));
        Assert.Equal((1, 1, 1), (change.Earlier, change.Later, change.Unchanged));
        // (3 + 0 − 2) days over three leads.
        Assert.Equal(0.3333, change.AverageDaysGained);
        Assert.Equal(Id(4).ToString(), Assert.Single(response.Draft.Sample).LeadId);
        Assert.Equal(Id(2).ToString(), Assert.Single(change.NewlyQualifiedSample).LeadId);
        Assert.Equal(Id(3).ToString(), Assert.Single(change.NoLongerQualifiedSample).LeadId);
    }

    [Fact]
    public void ToResponse_NobodyQualifies_HasNoRates()
    {
        var tally = new SimulationTally(20);
        tally.Add([new(Id(1), null, null, false)], 0);

        var response = tally.ToResponse();

        Assert.False(response.Draft.HasPrecision);
        Assert.False(response.Draft.HasRecall);
        Assert.False(response.Comparison.HasAverageDaysGained);
    }

    private static Qualification? At(int days) => new(Start.AddDays(days), 60);
}
