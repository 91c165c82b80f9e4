namespace Lifecycle.Nurture.Features.JudgeSegments;

/// <summary>Work over the many leads of a page, which the database waits for.</summary>
internal static class Pages
{
    private static readonly int Workers = Math.Min(Environment.ProcessorCount, 4);

    /// <summary>The results in order, made by some processors at once.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="make">Reads what no one changes meanwhile.</param>
    public static IEnumerable<TResult> InParallel<TRow, TResult>(this IReadOnlyList<TRow> rows, Func<TRow, TResult> make) =>
        rows.AsParallel().AsOrdered().WithDegreeOfParallelism(Workers).Select(make);
}
