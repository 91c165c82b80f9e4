// dotnet-ef runs this to learn how to make the context of the service that EF_SERVICE names; it never opens a connection.
using System.Reflection;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

var service = Environment.GetEnvironmentVariable("EF_SERVICE") ?? throw new InvalidOperationException("Run eng/ef.");
var context = Assembly.Load($"Lifecycle.{service}").GetTypes()
    .Single(type => type.IsSubclassOf(typeof(LifecycleDbContext)) && !type.IsAbstract);
var options = (DbContextOptionsBuilder)Activator.CreateInstance(typeof(DbContextOptionsBuilder<>).MakeGenericType(context))!;
options.UseNpgsql("Host=design-time", npgsql => npgsql.MigrationsHistoryTable("migration_history", service.ToLowerInvariant()));
var builder = Host.CreateApplicationBuilder();
builder.Services.AddSingleton(options.Options.GetType(), options.Options);
builder.Build();
