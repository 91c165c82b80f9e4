using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Postgres.Bus;
using Lifecycle.Postgres.Outbox;
using MassTransit;

namespace Lifecycle.Shared.UnitTests.Postgres;

public sealed class EventTypesTests
{
    [Fact]
    public void All_Events_AreThoseOfTheContract() => Assert.Equal(
        [
            "ActivitiesRecorded", "AdvocateGained", "CustomerChurned", "CustomerRiskChanged", "EmailEngaged", "EmailRequested", "EmailSent",
            "HandoffOverdue", "LeadCaptured", "LeadDisqualified", "LeadErased", "LeadErasureConfirmed", "LeadQualified", "LeadReturned",
            "LeadScoreChanged", "LeadStageChanged", "LeadUpdated", "LeadsMerged", "NpsAnswered", "OpportunityChanged",
            "ProgramStepCompleted", "RevenueBooked", "RevenueMoved", "SegmentMembershipChanged", "SessionStarted", "SpendRecorded",
            "TargetAtRisk", "WorkspaceUpdated",
        ],
        EventTypes.All.Select(type => type.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void Serialize_NestedValues_ReadBackEqual()
    {
        var time = new DateTimeOffset(2026, 3, 31, 23, 59, 59, TimeSpan.Zero).AddTicks(1234560);
        var e = new LeadStageChanged(
            Guid.CreateVersion7(time), Guid.CreateVersion7(time), time, 3, Guid.CreateVersion7(time),
            "LEAD", "MQL", "QUALIFIED", "service:conversion", 12.50m,
            new TouchInfo(
                "Paid Search", "google", "cpc", "spring", null, "https://a.test/?a=\"ä\"", "gclid:x", time, Guid.CreateVersion7(time)));

        var body = EventTypes.Serialize(e);

        Assert.Equal(e, EventTypes.Deserialize("LeadStageChanged", body));
        Assert.DoesNotContain("orderingKey", body, StringComparison.Ordinal);
    }

    [Fact]
    public void Serialize_SendersProperties_KeepTheirJson()
    {
        using var json = JsonDocument.Parse("""{"n":1.20,"s":"a","l":[1,null,{"b":true}]}""");
        var properties = json.RootElement.EnumerateObject().ToDictionary(property => property.Name, property => property.Value.Clone());
        var time = DateTimeOffset.UnixEpoch;
        var e = new ActivitiesRecorded(
            Guid.CreateVersion7(time), Guid.CreateVersion7(time), time, 1,
            [new ActivityInfo(Guid.CreateVersion7(time), Guid.CreateVersion7(time), "TRACK", "Tried", time, null, null, properties)]);

        var read = Assert.IsType<ActivitiesRecorded>(EventTypes.Deserialize("ActivitiesRecorded", EventTypes.Serialize(e)));

        Assert.Equal(
            ["1.20", "\"a\"", "[1,null,{\"b\":true}]"],
            Assert.Single(read.Activities).Properties.Values.Select(value => value.GetRawText()));
    }

    [Fact]
    public void Deserialize_UnknownEvent_Throws() => Assert.Throws<EventNotKnownException>(() => EventTypes.Deserialize("Unheard", "{}"));

    [Fact]
    public void Names_QueueAndExchange_AreTheDocumentedOnes()
    {
        var names = new LifecycleEntityNames(new OtherNames());

        Assert.Equal("scoring.lead-captured", Lifecycle.Postgres.LifecycleBus.Queue("scoring", typeof(LeadCaptured)));
        Assert.Equal("lifecycle.leads-merged", names.FormatEntityName<LeadsMerged>());
        Assert.Equal("other", names.FormatEntityName<string>());
    }

    private sealed class OtherNames : IEntityNameFormatter
    {
        public string FormatEntityName<T>() => "other";
    }
}
