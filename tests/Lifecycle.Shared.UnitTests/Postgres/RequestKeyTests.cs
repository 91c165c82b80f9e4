using Google.Protobuf.WellKnownTypes;
using Lifecycle.Postgres;

namespace Lifecycle.Shared.UnitTests.Postgres;

public sealed class RequestKeyTests
{
    [Fact]
    public void Hash_SameContent_IsEqual() => Assert.Equal(RequestKey.Hash(Sample("a", "b")), RequestKey.Hash(Sample("a", "b")));

    [Fact]
    public void Hash_MapInAnotherOrder_IsEqual() => Assert.Equal(RequestKey.Hash(Sample("a", "b")), RequestKey.Hash(Sample("b", "a")));

    [Fact]
    public void Hash_OtherContent_Differs() => Assert.NotEqual(RequestKey.Hash(Sample("a", "b")), RequestKey.Hash(Sample("a", "c")));

    private static Struct Sample(params string[] keys)
    {
        var message = new Struct();
        foreach (var key in keys)
        {
            message.Fields.Add(key, Value.ForString($"value of {key}"));
        }

        return message;
    }
}
