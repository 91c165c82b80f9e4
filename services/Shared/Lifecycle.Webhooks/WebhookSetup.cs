using Lifecycle.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Lifecycle.Webhooks;

/// <summary>Sending of webhooks in a host.</summary>
public static class WebhookSetup
{
    /// <summary>
    /// Adds dispatcher, worker and secret box. Reads the sections <c>Webhooks</c> and <c>Lifecycle</c>; the model takes
    /// <see cref="WebhookModel.AddWebhookDeliveries"/>.
    /// </summary>
    /// <param name="builder">The host.</param>
    /// <param name="endpoints">What the service knows of its endpoints.</param>
    public static void AddWebhooks<TContext>(this IHostApplicationBuilder builder, Func<IServiceProvider,
        WebhookEndpoints<TContext>> endpoints)
        where TContext : LifecycleDbContext
    {
        builder.Services.AddOptions<WebhookOptions>().BindConfiguration(WebhookOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddOptions<SecretBoxOptions>().BindConfiguration(SecretBoxOptions.Section).ValidateDataAnnotations()
            .ValidateOnStart();
        builder.Services
            .AddSingleton<SecretBox>()
            .AddSingleton(provider => new WebhookSender(Client(provider), provider.GetRequiredService<TimeProvider>()))
            .AddSingleton(endpoints)
            .AddSingleton<WebhookDispatcher<TContext>>()
            .AddHostedService<WebhookWorker<TContext>>();
    }

    /// <summary>A guarded client by the host's settings.</summary>
    public static HttpClient Client(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<WebhookOptions>>().Value;
        return GuardedHttp.Create(GuardedHttp.Networks(options.AllowedNetworks), TimeSpan.FromSeconds(options.TimeoutSeconds));
    }
}
