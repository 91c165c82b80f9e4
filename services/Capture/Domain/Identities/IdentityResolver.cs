using Lifecycle.Capture.Domain.Leads;

namespace Lifecycle.Capture.Domain.Identities;

/// <summary>Two leads found to be one.</summary>
/// <param name="Source">Lead that ends.</param>
/// <param name="Target">Lead that goes on: the one known longer.</param>
/// <param name="Time">Time of the message that showed it.</param>
public sealed record LeadMerge(Lead Source, Lead Target, DateTimeOffset Time);

/// <summary>
/// Finds whom messages speak of. Keys that occur in one message are one person, so people are the connected groups of keys, whatever the
/// order of the messages. A device is no key: two people who share one stay two.
/// </summary>
/// <param name="owners">Owner of every key that the messages carry, as stored; extended here.</param>
/// <param name="leads">The owners, by id; extended here.</param>
public sealed class IdentityResolver(Dictionary<IdentityKey, Guid> owners, Dictionary<Guid, Lead> leads)
{
    private readonly List<LeadMerge> merges = [];
    private readonly Dictionary<IdentityKey, Guid> added = [];

    /// <summary>Leads by id: those given, those made here, none of those merged away.</summary>
    public IReadOnlyDictionary<Guid, Lead> Leads => leads;

    /// <summary>Keys that got an owner here.</summary>
    public IReadOnlyDictionary<IdentityKey, Guid> Added => added;

    /// <summary>Leads that ended here, in order.</summary>
    public IReadOnlyList<LeadMerge> Merges => merges;

    /// <summary>The lead of a key, if it has one.</summary>
    public Guid? OwnerOf(IdentityKey key) => owners.TryGetValue(key, out var owner) ? owner : null;

    /// <summary>The lead as which a lead given or made here lives on.</summary>
    public Guid Current(Guid lead)
    {
        foreach (var merge in merges)
        {
            lead = merge.Source.Id == lead ? merge.Target.Id : lead;
        }

        return lead;
    }

    /// <summary>
    /// Finds or makes the lead and, on an occasion that makes a person known, tells it the facts; other facts go with the activity (see
    /// <see cref="Lead.Observed"/>). Null when nobody is known by these keys and the occasion makes nobody known.
    /// </summary>
    /// <param name="facts">What was said.</param>
    /// <param name="onDevice">Who was named last on the message's device.</param>
    /// <param name="newId">Makes the id of a new lead.</param>
    public Lead? Resolve(PersonFacts facts, Guid? onDevice, Func<Guid> newId)
    {
        var keys = facts.Keys;
        var lead = MergeOwners(keys, facts.Time) ?? (facts.Capture is null || keys.Count == 0 ? null : Begin(facts, keys, onDevice, newId));
        if (lead is null)
        {
            return null;
        }

        foreach (var key in keys)
        {
            Attach(lead, key);
        }

        if (facts.Capture is { } capture)
        {
            lead.Captured(capture);
            lead.Named(facts.Email, facts.UserId, facts.Time);
            foreach (var fact in facts.Facts)
            {
                lead.Told(fact.Key, fact.Json, facts.Time);
            }
        }

        return lead;
    }

    /// <summary>Makes the key lead to the lead, unless it leads to one already.</summary>
    public void Attach(Lead lead, IdentityKey key)
    {
        if (owners.TryAdd(key, lead.Id))
        {
            added[key] = lead.Id;
        }
    }

    /// <summary>Makes <paramref name="source"/> end in <paramref name="target"/>.</summary>
    public void Merge(Lead source, Lead target, DateTimeOffset time)
    {
        target.Absorb(source, time);
        foreach (var key in owners.Where(pair => pair.Value == source.Id).Select(pair => pair.Key).ToArray())
        {
            owners[key] = target.Id;
            if (added.ContainsKey(key))
            {
                added[key] = target.Id;
            }
        }

        leads.Remove(source.Id);
        merges.Add(new(source, target, time));
    }

    private Lead? MergeOwners(IReadOnlyList<IdentityKey> keys, DateTimeOffset time)
    {
        Lead? found = null;
        foreach (var key in keys)
        {
            if (OwnerOf(key) is not { } owner || owner == found?.Id)
            {
                continue;
            }

            var other = leads[owner];
            if (found is null)
            {
                found = other;
                continue;
            }

            var (target, source) = (found.CreateTime, found.Id).CompareTo((other.CreateTime, other.Id)) <= 0
                ? (found, other)
                : (other, found);
            Merge(source, target, time);
            found = target;
        }

        return found;
    }

    // A caller known by number alone and a person named on the same device are one.
    private Lead Begin(PersonFacts facts, IReadOnlyList<IdentityKey> keys, Guid? onDevice, Func<Guid> newId)
    {
        var byNumber = keys[0].Kind == IdentityKey.Phone;
        if (onDevice is { } id && leads.TryGetValue(Current(id), out var known)
            && (byNumber || (known.Email is null && known.ExternalId is null)))
        {
            return known;
        }

        var lead = Lead.Begin(newId(), facts.Capture!);
        leads.Add(lead.Id, lead);
        return lead;
    }
}
