namespace Lifecycle.EndToEndTests;

/// <summary>Waits for what the whole suite brings about by itself; one service's tests wait less.</summary>
public static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public static Task<T> Get<T>(string what, Func<Task<T?>> look)
        where T : class =>
        Testing.Eventually.Passes(async () => await look() ?? throw new InvalidOperationException("it is not there"), what, Patience);

    public static Task Equal<T>(T expected, string what, Func<Task<T>> look) => Testing.Eventually.Equal(expected, look, what, Patience);

    public static Task True(string what, Func<Task<bool>> look) => Testing.Eventually.True(look, what, Patience);
}
