using Lifecycle.Nurture.Domain.Programs;

namespace Nurture.UnitTests;

/// <summary>Control groups are drawn by lead and program, and by nothing else.</summary>
public sealed class HoldOutTests
{
    private static readonly Guid[] Leads = [.. Enumerable.Range(0, 20_000)
        .Select(number => new Guid(number, 7, 7, 0, 0, 0, 0, 0, 0, 0, 1))];

    private static readonly Guid Program = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(1, 0.005, 0.015)]
    [InlineData(20, 0.19, 0.21)]
    [InlineData(90, 0.89, 0.91)]
    public void Holds_ShareOfLeads_IsThatAskedFor(int percent, double least, double most) =>
        Assert.InRange(Leads.Count(lead => HoldOut.Holds(Program, lead, percent)) / (double)Leads.Length, least, most);

    [Fact]
    public void Holds_LargerShare_HoldsOutTheSameAndMore() =>
        Assert.All(Leads.Where(lead => HoldOut.Holds(Program, lead, 10)), lead => Assert.True(HoldOut.Holds(Program, lead, 11)));

    [Fact]
    public void Holds_AnotherProgram_DrawsApartFromThis()
    {
        var other = new Guid(2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

        // Half of one half, not the same half.
        Assert.InRange(
            Leads.Count(lead => HoldOut.Holds(Program, lead, 50) && HoldOut.Holds(other, lead, 50)) / (double)Leads.Length, 0.24, 0.26);
    }
}
