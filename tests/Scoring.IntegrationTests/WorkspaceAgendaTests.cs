using Lifecycle.Scoring.Jobs;
using Lifecycle.Testing;

namespace Scoring.IntegrationTests;

public sealed class WorkspaceAgendaTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);
    private readonly ManualTimeProvider clock = new(Start);
    private readonly WorkspaceAgenda agenda;
    private readonly Guid first = Guid.CreateVersion7();
    private readonly Guid second = Guid.CreateVersion7();

    public WorkspaceAgendaTests() => agenda = new(clock);

    [Fact]
    public async Task Next_AtTheBeginning_IsEverywhere() => Assert.True((await Next()).Everywhere);

    [Fact]
    public async Task Next_Planned_ComesAtTheEarliestTimePlannedAndOnce()
    {
        await Next();
        agenda.Plan(first, Start.AddSeconds(30));
        agenda.Plan(first, Start.AddSeconds(20));
        agenda.Plan(first, Start.AddSeconds(40));
        agenda.Plan(second, Start.AddSeconds(50));

        var waiting = Next();
        clock.Advance(TimeSpan.FromSeconds(19));
        Assert.False(waiting.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal([first], (await waiting.WaitAsync(Deadline)).Workspaces);
        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal([second], (await Next().WaitAsync(Deadline)).Workspaces);
    }

    [Fact]
    public async Task Next_PlannedBeforeWhatIsWaitedFor_Wakes()
    {
        await Next();
        agenda.Plan(first, Start.AddHours(1));
        var waiting = Next();
        agenda.Plan(second, Start);
        Assert.Equal([second], (await waiting.WaitAsync(Deadline)).Workspaces);
    }

    [Fact]
    public async Task Next_ToldToLookOrTimeToSweep_IsEverywhere()
    {
        await Next();
        var waiting = Next();
        agenda.LookEverywhere();
        Assert.True((await waiting.WaitAsync(Deadline)).Everywhere);

        waiting = Next();
        clock.Advance(TimeSpan.FromDays(2));
        Assert.True((await waiting.WaitAsync(Deadline)).Everywhere);
    }

    private Task<(bool Everywhere, IReadOnlyList<Guid> Workspaces)> Next() => agenda.Next(Start.AddDays(1), CancellationToken.None);
}
