using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;

namespace Capture.UnitTests.Identities;

public sealed class IdentityResolverTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Resolve_SameEmailTwice_IsOneLead()
    {
        var resolver = Resolver();

        var first = Say(resolver, 0, email: "ada@acme.example");
        var second = Say(resolver, 1, userId: "u1", email: "ada@acme.example");

        Assert.Same(first, second);
        Assert.Equal(("ada@acme.example", "u1"), (second!.Email, second.ExternalId));
    }

    [Fact]
    public void Resolve_MessageThatJoinsTwo_MergesIntoTheOlder()
    {
        var resolver = Resolver();
        var byUser = Say(resolver, 0, userId: "u1");
        var byEmail = Say(resolver, 1, email: "ada@acme.example");

        var joined = Say(resolver, 2, userId: "u1", email: "ada@acme.example");

        Assert.Same(byUser, joined);
        Assert.Equal([(byEmail!.Id, byUser!.Id)], resolver.Merges.Select(merge => (merge.Source.Id, merge.Target.Id)));
        Assert.Equal(byUser.Id, resolver.Current(byEmail.Id));
    }

    [Fact]
    public void Resolve_TwoPeopleOnOneDevice_StayTwo()
    {
        var resolver = Resolver();
        var alice = Say(resolver, 0, email: "alice@acme.example");

        var bob = Say(resolver, 1, email: "bob@acme.example", onDevice: alice!.Id);

        Assert.NotSame(alice, bob);
        Assert.Equal(2, resolver.Leads.Count);
    }

    [Fact]
    public void Resolve_CallerWhoLaterFillsAForm_IsOneLead()
    {
        var resolver = Resolver();
        var caller = Say(resolver, 0, phone: "+491234567", type: CaptureType.Call);

        var same = Say(resolver, 1, email: "ada@acme.example", onDevice: caller!.Id);

        Assert.Same(caller, same);
        Assert.Equal(CaptureType.Call, same!.Capture.Type);
    }

    [Fact]
    public void Resolve_TrackOfAnUnknownUser_MakesNobodyKnown()
    {
        var resolver = Resolver();

        Assert.Null(resolver.Resolve(new(Start, "u1", null, null, null, null, []), null, NewId));
        Assert.Empty(resolver.Leads);
    }

    [Fact]
    public void Resolve_AnyOrder_FindsTheSamePeopleWithTheSameProfiles() =>
        Prop.ForAll(Facts.ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), (facts, seed) =>
        {
            var shuffled = facts.Select((fact, index) => (fact, index)).OrderBy(item => HashCode.Combine(seed, item.index))
                .Select(item => item.fact);
            return People(facts).SetEquals(People(shuffled));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    private static HashSet<string> People(IEnumerable<PersonFacts> facts)
    {
        var resolver = Resolver();
        var list = facts.ToArray();
        foreach (var fact in list)
        {
            resolver.Resolve(fact, null, NewId);
        }

        return resolver.Leads.Values.Select(lead =>
        {
            var keys = list.SelectMany(fact => fact.Keys).Distinct().Where(key => resolver.OwnerOf(key) == lead.Id)
                .Order(Comparer<IdentityKey>.Create((left, right) => string.CompareOrdinal(left.ToString(), right.ToString())));
            var traits = lead.Profile.Traits().OrderBy(pair => pair.Key, StringComparer.Ordinal);
            return $"{string.Join(',', keys)} {lead.CreateTime:O} {lead.Capture} {lead.Email} {lead.ExternalId} {string.Join(',', traits)}";
        }).ToHashSet();
    }

    private static Gen<PersonFacts[]> Facts =>
        (from minute in Gen.Choose(0, 40)
         from user in Gen.Elements<string?>(null, "u1", "u2", "u3", "u4")
         from email in Gen.Elements<string?>(null, "a@x.example", "b@x.example", "c@x.example", "d@x.example")
         from type in Gen.Elements(CaptureType.Form, CaptureType.Identify, CaptureType.Chat)
         from title in Gen.Elements("\"VP\"", "\"CTO\"", "null")
         where user is not null || email is not null
         select new PersonFacts(
             Start.AddMinutes(minute), user, null, email, null,
             new(Start.AddMinutes(minute), type, type == CaptureType.Form ? "demo" : null), [new("title", title)]))
        .ArrayOf().Select(list => list.Take(12).ToArray());

    private static IdentityResolver Resolver() => new([], []);

    private static Guid NewId() => Guid.CreateVersion7(Start);

    private static Lead? Say(
        IdentityResolver resolver, double minute, string? userId = null, string? email = null, string? phone = null,
        CaptureType type = CaptureType.Identify, Guid? onDevice = null) =>
        resolver.Resolve(
            new(Start.AddMinutes(minute), userId, null, email, phone, new(Start.AddMinutes(minute), type, null), []), onDevice, NewId);
}
