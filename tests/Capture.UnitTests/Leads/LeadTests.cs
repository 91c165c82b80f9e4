using Lifecycle.Capture.Domain.Leads;

namespace Capture.UnitTests.Leads;

public sealed class LeadTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Captured_FormInTheSameBreathAsIdentify_IsTheForm()
    {
        var lead = Lead.Begin(Guid.CreateVersion7(Start), new(Start, CaptureType.Identify, null));

        lead.Captured(new(Start.AddSeconds(1), CaptureType.Form, "demo"));

        Assert.Equal((CaptureType.Form, "demo", Start), (lead.Capture.Type, lead.Capture.FormType, lead.CreateTime));
    }

    [Fact]
    public void Captured_FormOfAPersonKnownForDays_ChangesNothing()
    {
        var lead = Lead.Begin(Guid.CreateVersion7(Start), new(Start, CaptureType.Identify, null));

        lead.Captured(new(Start.AddDays(1), CaptureType.Form, "demo"));

        Assert.Equal(CaptureType.Identify, lead.Capture.Type);
    }

    [Fact]
    public void Touched_ToldAndSeen_AreOrderedByTime()
    {
        var lead = Lead.Begin(Guid.CreateVersion7(Start), new(Start, CaptureType.Import, null));
        lead.CameFrom(Touch("Referral", 0));

        lead.Touched(Touch("Direct", -1), Touch("Direct", -1), Start);

        Assert.Equal(("Direct", "Referral"), (lead.FirstTouch!.Channel, lead.LastTouch!.Channel));
    }

    [Fact]
    public void FirstTouchOrUnknown_NothingKnown_IsUnassignedAtTheCreateTime()
    {
        var touch = Lead.Begin(Guid.CreateVersion7(Start), new(Start, CaptureType.Api, null)).FirstTouchOrUnknown;

        Assert.Equal(("Unassigned", Start), (touch.Channel, touch.Time));
    }

    [Fact]
    public void TimeToSet_ValueFromAClockAhead_IsJustAfterIt()
    {
        var lead = Lead.Begin(Guid.CreateVersion7(Start), new(Start, CaptureType.Api, null));
        lead.Told("title", "\"VP\"", Start.AddMinutes(9));

        lead.Told("title", "\"CTO\"", lead.TimeToSet(Start));

        Assert.Equal("CTO", lead.Profile.Text("title"));
    }

    private static Touch Touch(string channel, int day) => new(channel, null, null, null, null, null, null, Start.AddDays(day), null);
}
