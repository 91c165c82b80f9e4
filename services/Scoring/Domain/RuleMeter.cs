using System.Runtime.InteropServices;

namespace Lifecycle.Scoring.Domain;

/// <summary>What a rule over activities gave so far, as far as its limits look back.</summary>
internal sealed class RuleMeter(ScoringRule rule)
{
    // Most rules have no occasions and no window.
    private Dictionary<string, DateTimeOffset>? occasions;
    private Queue<(DateTimeOffset Time, decimal Points)>? given;
    private int times;
    private decimal inWindow;
    private double worth;
    private DateTimeOffset worthAt;

    /// <summary>Whether fewer times than the rule's limit went before, within the window where there is one.</summary>
    public bool MayGive(DateTimeOffset time)
    {
        Forget(time);
        return rule.MaxTimes is not { } most || (rule.Window is null ? times : given?.Count ?? 0) < most;
    }

    /// <summary>Whether no activity of the same occasion came before, within the window where there is one.</summary>
    public bool IsFirst(string? key, DateTimeOffset time)
    {
        if (key is null)
        {
            return false;
        }

        ref var last = ref CollectionsMarshal.GetValueRefOrAddDefault(occasions ??= [], key, out var known);
        if (known && (rule.Window is null || time - last < rule.Window))
        {
            return false;
        }

        last = time;
        return true;
    }

    /// <summary>The rule's points as far as its cap leaves room.</summary>
    public decimal Room(DateTimeOffset time)
    {
        if (rule.Cap is not { } cap)
        {
            return rule.Points;
        }

        if (rule.Window is not null)
        {
            Forget(time);
            return Within(cap - inWindow);
        }

        // Most times there is room enough, and nothing has to be rounded.
        var left = (double)cap - WorthAt(time);
        return left >= (double)Math.Abs(rule.Points) ? rule.Points : Within(Scorer.Floor(Math.Max(0, left)));

        decimal Within(decimal room) => Math.Sign(rule.Points) * Math.Min(Math.Abs(rule.Points), Math.Max(0, room));
    }

    public void Give(decimal points, DateTimeOffset time)
    {
        var size = Math.Abs(points);
        times++;
        if (rule is { Cap: not null, Window: null })
        {
            (worth, worthAt) = (WorthAt(time) + (double)size, time);
        }
        else if (rule.Window is not null)
        {
            (given ??= []).Enqueue((time, size));
            inWindow += size;
        }
    }

    private void Forget(DateTimeOffset time)
    {
        while (rule.Window is { } window && given is not null && given.TryPeek(out var first) && time - first.Time >= window)
        {
            inWindow -= given.Dequeue().Points;
        }
    }

    /// <summary>What decays is bounded as it decays; floors and ends are not looked at, so that a cap is never passed.</summary>
    private double WorthAt(DateTimeOffset time) =>
        rule is { HalfLife: { } halfLife, Floor: 0 } ? worth * Decay.Factor(time - worthAt, halfLife.TotalSeconds) : worth;
}
