using Lifecycle.Postgres.Model;

namespace Lifecycle.Shared.UnitTests.Postgres;

public sealed class SnakeCaseNamesTests
{
    [Theory]
    [InlineData("LeadScore", "lead_score")]
    [InlineData("Price_CurrencyCode", "price_currency_code")]
    [InlineData("URLPath", "url_path")]
    [InlineData("LandingURL", "landing_url")]
    [InlineData("Utm2Source", "utm2_source")]
    [InlineData("IX_Lead_WorkspaceId", "ix_lead_workspace_id")]
    [InlineData("already_there", "already_there")]
    public void ToSnakeCase_Name_SplitsWords(string name, string expected) => Assert.Equal(expected, SnakeCaseNames.ToSnakeCase(name));
}
