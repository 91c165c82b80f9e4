using Lifecycle.Kernel;

namespace Lifecycle.Shared.UnitTests.Kernel;

public sealed class DomainNameTests
{
    [Theory]
    [InlineData("Acme.Example", "acme.example")]
    [InlineData("BÜCHER.example", "xn--bcher-kva.example")]
    [InlineData(".bücher.example", ".xn--bcher-kva.example")]
    [InlineData("a_b.bücher.example", "a_b.xn--bcher-kva.example")]
    [InlineData("Bücher..example", "bücher..example")]
    [InlineData("", "")]
    public void Normal_Name_IsInTheOneForm(string name, string expected) => Assert.Equal(expected, DomainName.Normal(name));
}
