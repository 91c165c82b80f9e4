using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Live;
using Scoring.UnitTests.Domain;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Live;

public sealed class LiveScoreTests
{
    private static readonly double[] HalfLives = [86_400, 7 * 86_400, 30 * 86_400];

    private static readonly Gen<LiveScore> Scores =
        from constant in Gen.Choose(-3_000, 6_000)
        from minutes in Gen.Choose(0, 400 * 24 * 60)
        from points in Gen.Choose(-2_000, 6_000).Some(3)
        select new LiveScore(
            Id(1), 7, 1, false,
            new(
                Start.AddMinutes(minutes), new(constant / 100m, []),
                new(0, points.Select((value, index) => new Bucket(HalfLives[index], value / 100.0)).ToArray()), CategoryState.Zero));

    [Fact]
    public void Place_AnyScore_BoundsItsTotalFromAboveAtAnyTime() =>
        Prop.ForAll(Scores.ToArbitrary(), Gen.Choose(0, 500 * 24).ToArbitrary(), (score, hours) =>
        {
            var (range, rank) = score.Place();
            var time = score.State.At.AddHours(hours);
            return LiveScore.Bound(range, rank, time) >= score.State.TotalAt(time) - 1e-6;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void Place_OneHalfLife_OrdersByTotalForEver()
    {
        var scores = Scores.Select(score => score with
        {
            State = score.State with
            {
                Fit = new(30, []),
                Behavior = new(0, [new(HalfLives[2], Math.Abs(score.State.Behavior.Buckets[0].Points) + 1)])
            },
        });
        Prop.ForAll(scores.ToArbitrary(), scores.ToArbitrary(), Gen.Choose(400, 900).ToArbitrary(), (left, right, days) =>
        {
            var time = Start.AddDays(days);
            var (first, second) = (left.Place(), right.Place());
            var difference = left.State.TotalAt(time) - right.State.TotalAt(time);
            return first.Range == second.Range
                && (Math.Abs(difference) < 1e-9 || Math.Sign(difference) == Math.Sign(first.Rank - second.Rank));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1_000));
    }

    [Fact]
    public void Bytes_AnyScore_GiveTheScoreBack() =>
        Prop.ForAll(Scores.ToArbitrary(), Gen.Choose(0, 400).ToArbitrary(), (score, days) =>
        {
            var timed = score with
            {
                Qualified = days % 2 == 0,
                ModelVersion = days * 50,
                Until = days < 20 ? null : score.State.At.AddMicroseconds(days * 1_234_567L)
            };
            var again = LiveScoreBytes.Read(timed.LeadId, timed.Version, LiveScoreBytes.Write(timed))!;
            return JsonSerializer.Serialize(again) == JsonSerializer.Serialize(timed)
                && again.State.TotalAt(Start.AddDays(900)).Equals(timed.State.TotalAt(Start.AddDays(900)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Bytes_CutOrForeign_AreNoScore()
    {
        var whole = LiveScoreBytes.Write(Scores.ToArbitrary().Generator.Sample(1).First());

        Assert.All(Enumerable.Range(0, whole.Length), length => Assert.Null(LiveScoreBytes.Read(Id(1), 1, whole.AsSpan(0, length))));
        Assert.Null(LiveScoreBytes.Read(Id(1), 1, "{}"u8));
        Assert.Null(LiveScoreBytes.Read(Id(1), 1, [1, .. Enumerable.Repeat((byte)0xff, 60)]));
    }

    [Fact]
    public void Bytes_OneHalfLife_LeaveRoomInASmallBlock()
    {
        var score = new LiveScore(Id(1), 123_456, 12, true, new(
            Start, new(50, []), new(0, [new(HalfLives[2], 41.23456)]), new(20, [])), Start.AddDays(30));
        var field = $"{score.Version}:{score.Place().Range}:".Length + LiveScoreBytes.Write(score).Length;

        // Redis keeps a hash as one list as long as no field has more than 64 bytes.
        Assert.InRange(field, 1, 64);
    }

    [Fact]
    public void Announcement_Text_ReadsBack()
    {
        var leads = Enumerable.Range(1, ScoreAnnouncement.MaxLeads).Select(Id).ToArray();
        var text = new ScoreAnnouncement(Id(0), leads).ToString();
        var again = ScoreAnnouncement.Parse(text)!;

        Assert.True(text.Length < 8_000);
        Assert.Equal(Id(0), again.WorkspaceId);
        Assert.Equal(leads, again.LeadIds);
        Assert.All(new[] { "", "x", new string('z', 32), text[1..] }, wrong => Assert.Null(ScoreAnnouncement.Parse(wrong)));
    }
}
