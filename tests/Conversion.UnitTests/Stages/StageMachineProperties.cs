using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.UnitTests.Stages;

public sealed class StageMachineProperties
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Decide_AnyRequestsInAnyOrder_MakeALegalHistory() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(10_000),
            Prop.ForAll(Requests().ArrayOf().ToArbitrary(), requests =>
            {
                var position = LeadPosition.Start;
                var history = new List<Move>();
                foreach (var request in requests.SelectMany(request => new[] { request, request }))
                {
                    if (StageMachine.Decide(position, request).TryGet(out var move, out _))
                    {
                        history.Add(move);
                        position = move.Position;
                    }
                }

                var furthest = history.Select(move => move.To).Where(StageMachine.IsFunnel).DefaultIfEmpty(Stage.Visitor).Max();
                return Enumerable.Range(0, history.Count).All(index => IsSound(history, index)) && position.Highest == furthest;
            }));

    private static bool IsSound(List<Move> history, int index)
    {
        var move = history[index];
        var follows = index == 0 ? move.From == Stage.Visitor : move.From == history[index - 1].To && move.Time >= history[index - 1].Time;
        var backward = StageMachine.IsFunnel(move.From) && StageMachine.IsFunnel(move.To) && move.To < move.From;
        return follows
            && move.Version == index + 1
            && move.From != move.To
            && (!backward || StageReasons.IsBackward(move.Reason))
            && (move.To != Stage.Churned || move.From is Stage.Customer or Stage.Advocate)
            && (move.From != Stage.Churned || move.To == Stage.Customer);
    }

    private static Gen<StageRequest> Requests() =>
        from stage in Gen.Elements(Enum.GetValues<Stage>())
        from reason in Gen.Elements<string>([.. StageReasons.All, "NONSENSE"])
        from hours in Gen.Choose(-500, 500)
        select new StageRequest(stage, reason, Start.AddHours(hours));
}
