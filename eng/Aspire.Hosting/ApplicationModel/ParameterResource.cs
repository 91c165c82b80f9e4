using System.Security.Cryptography;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value from outside: configuration's <c>Parameters:NAME</c>.</summary>
public class ParameterResource(string name, Func<ParameterDefault?, string> callback, bool secret) : Resource(name), IValueProvider
{
    private readonly Lock _lock = new();
    private string? _value;

    public bool Secret { get; } = secret;

    /// <summary>Where the value comes from when configuration has none.</summary>
    public ParameterDefault? Default { get; set; }

    /// <exception cref="MissingParameterValueException">Configuration has no value, and there is no default.</exception>
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            return new(_value ??= callback(Default));
        }
    }
}

/// <summary>Where a parameter's value comes from when configuration has none.</summary>
public abstract class ParameterDefault
{
    public abstract string GetDefaultValue();
}

/// <summary>A random value, new at every start: letters and digits.</summary>
public sealed class GenerateParameterDefault : ParameterDefault
{
    /// <summary>The value's length, in characters.</summary>
    public int MinLength { get; set; } = 22;

    /// <summary>Whether other characters than letters and digits may be used; they never are.</summary>
    public bool Special { get; set; } = true;

    public override string GetDefaultValue() =>
        RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", MinLength);
}
