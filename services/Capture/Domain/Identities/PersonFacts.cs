using Lifecycle.Capture.Domain.Leads;

namespace Lifecycle.Capture.Domain.Identities;

/// <summary>Something by which a person is known.</summary>
/// <param name="Kind"><see cref="User"/>, <see cref="Email"/> or <see cref="Phone"/>.</param>
/// <param name="Value">The sender's id, or the normalised address or number.</param>
public readonly record struct IdentityKey(string Kind, string Value)
{
    public const string User = "user";
    public const string Email = "email";
    public const string Phone = "phone";
}

/// <summary>One thing said of a person: a trait, or part of the company under <c>company.</c>.</summary>
/// <param name="Key">Trait name, or <c>company.name</c> and its like.</param>
/// <param name="Json">Value as JSON.</param>
public readonly record struct Fact(string Key, string Json);

/// <summary>What one message, row or call says of a person.</summary>
/// <param name="Time">When it was said.</param>
/// <param name="UserId">The sender's id of the person.</param>
/// <param name="PreviousId">An id the person had before.</param>
/// <param name="Email">Normalised e-mail.</param>
/// <param name="Phone">Normalised number.</param>
/// <param name="Capture">The occasion, when it makes a person known; null when it only speaks of one who may be.</param>
/// <param name="Facts">Traits and company.</param>
public sealed record PersonFacts(
    DateTimeOffset Time, string? UserId, string? PreviousId, string? Email, string? Phone, CaptureEvidence? Capture,
    IReadOnlyList<Fact> Facts)
{
    /// <summary>
    /// The keys, strongest first. All keys of one message belong to one person. A number alone is a key only where nothing better is given,
    /// since colleagues share numbers.
    /// </summary>
    public IReadOnlyList<IdentityKey> Keys => known ??= Read();

    private IReadOnlyList<IdentityKey>? known;

    private List<IdentityKey> Read()
    {
        if (UserId is null && Email is null && PreviousId is null && Phone is null)
        {
            return [];
        }

        var keys = new List<IdentityKey>(2);
        if (UserId is not null)
        {
            keys.Add(new(IdentityKey.User, UserId));
        }

        if (Email is not null)
        {
            keys.Add(new(IdentityKey.Email, Email));
        }

        if (PreviousId is not null)
        {
            keys.Add(ContactPoints.TryEmail(PreviousId, out var email) ? new(IdentityKey.Email, email) : new(IdentityKey.User, PreviousId));
        }

        if (keys.Count == 0 && Phone is not null)
        {
            keys.Add(new(IdentityKey.Phone, Phone));
        }

        return keys;
    }
}
