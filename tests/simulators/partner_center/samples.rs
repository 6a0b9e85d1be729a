//! Documented bodies (values invented, member names real), for the tests.

/// Step one of a co-sell engagement: the own half.
pub(super) const CREATE_OWN: &str = r#"{
  "name": "Kestrel Foods – demand planning", "externalReferenceId": "0065i00000QkT3aAAF",
  "qualification": "SalesQualified", "type": "Shared",
  "customerProfile": {
    "name": "Kestrel Foods Ltd",
    "address": {
      "addressLine1": "4 Mill Lane", "addressLine2": "Unit 9", "city": "Leeds", "state": "",
      "postalCode": "LS1 4AB", "country": "GB"
    },
    "size": "1001to5000employees",
    "team": [
      {
        "firstName": "Priya", "lastName": "Shah", "phoneNumber": "+441135550177",
        "email": "priya.shah@kestrelfoods.example"
      }
    ],
    "ids": []
  },
  "consent": {
    "consentToToShareInfoWithOthers": true, "consentToContact": true,
    "consentToMicrosoftToContactSpecificPartners": true,
    "consentToShareReferralWithMicrosoftSellers": true
  },
  "details": {
    "notes": "Need PoC support for forecasting workload.", "dealValue": 61000.5, "currency": "GBP",
    "closingDateTime": "2026-07-31T00:00:00Z",
    "requirements": {
      "solutions": [
        {
          "type": "Name", "id": "SOL-48213-KTR", "name": "Juniper Peak Fleet Insight",
          "publisherName": "Juniper Peak Software", "solutionType": "3P"
        }
      ],
      "additionalRequirements": {"iot": {}, "attributes": [{"id": "HaveNotDecided", "type": "CustomerMarketplaceIntent"}]}
    }
  },
  "team": [
    {
      "firstName": "Omar", "lastName": "Haddad", "phoneNumber": "+442075550199",
      "email": "omar.haddad@juniperpeak.example"
    }
  ],
  "target": [{"type": "SolutionProfile", "id": "SOL-48213-KTR"}],
  "inviteContext": {"notes": "Please help with a proof of concept.", "assistanceRequestCode": "ProofOfConceptOrDemo"}
}"#;

/// Step two: Microsoft's half; its engagement is replaced by the test.
pub(super) const CREATE_MICROSOFT: &str = r#"{
  "name": "Kestrel Foods – demand planning", "qualification": "SalesQualified", "type": "Shared",
  "customerProfile": {
    "name": "Kestrel Foods Ltd",
    "address": {
      "addressLine1": "4 Mill Lane", "addressLine2": "Unit 9", "city": "Leeds", "state": "",
      "postalCode": "LS1 4AB", "country": "GB"
    },
    "size": "1001to5000employees",
    "team": [
      {
        "firstName": "Priya", "lastName": "Shah", "phoneNumber": "+441135550177",
        "email": "priya.shah@kestrelfoods.example"
      }
    ],
    "ids": []
  },
  "consent": {
    "consentToToShareInfoWithOthers": true, "consentToContact": true,
    "consentToMicrosoftToContactSpecificPartners": true,
    "consentToShareReferralWithMicrosoftSellers": true
  },
  "details": {
    "notes": "Need PoC support for forecasting workload.", "dealValue": 61000.5, "currency": "GBP",
    "closingDateTime": "2026-07-31T00:00:00Z",
    "requirements": {
      "solutions": [
        {
          "type": "Name", "id": "SOL-48213-KTR", "name": "Juniper Peak Fleet Insight",
          "publisherName": "Juniper Peak Software", "solutionType": "3P"
        }
      ],
      "additionalRequirements": {"iot": {}, "attributes": [{"id": "HaveNotDecided", "type": "CustomerMarketplaceIntent"}]}
    }
  },
  "team": [
    {
      "firstName": "Omar", "lastName": "Haddad", "phoneNumber": "+442075550199",
      "email": "omar.haddad@juniperpeak.example"
    }
  ],
  "target": [{"type": "BusinessProfileLocation", "id": "msft"}],
  "inviteContext": {
    "notes": "Please help with a proof of concept.", "assistanceRequestCode": "ProofOfConceptOrDemo",
    "invitedBy": {
      "organizationId": "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10",
      "organizationName": "Juniper Peak Software"
    }
  },
  "engagementId": "2f0c7c19-8d5c-4b4a-9a7e-3d6b5b0f4e22", "status": "New", "substatus": "Pending"
}"#;

/// An inbound co-sell opportunity as answered.
pub(super) const INCOMING: &str = r#"{
  "@odata.context": "https://api.partner.microsoft.com/v1.0/$metadata#Referrals/$entity",
  "id": "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01", "engagementId": "b7a3b0f2-6c6d-4a3a-8f6e-0f7f2d0c9a11",
  "name": "Harbor Line – multi-site tracking", "organizationId": "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10",
  "organizationName": "Juniper Peak Software", "lastModifiedVia": null, "lastRunId": null,
  "externalReferenceId": null, "createdDateTime": "2026-03-02T09:14:21.4410275Z",
  "updatedDateTime": "2026-03-02T09:14:21.4410275Z", "expirationDateTime": "2026-03-16T09:14:21Z",
  "status": "New", "substatus": "Pending", "statusReason": null, "qualification": "SalesQualified",
  "type": "Shared", "referralSource": null, "eTag": "\"3a00c1d7-0000-0100-0000-69a5543d0000\"",
  "favorite": false, "campaignId": null, "salesStage": null, "quality": "Unknown", "isSpam": false,
  "direction": "Incoming", "mpnId": "5550142", "referralProgram": null, "dealSensitivity": "None",
  "createdVia": null, "tags": [], "acceptedDateTime": null, "closedDateTime": null, "callToAction": null,
  "registrationStatus": "None", "target": [{"type": "SolutionProfile", "id": "SOL-48213-KTR"}],
  "customerProfile": {
    "name": "Harbor Line Logistics AG", "size": "251to1000employees", "isMatchingComplete": true,
    "address": {
      "addressLine1": "Hafenstrasse 12", "addressLine2": null, "city": "Basel", "state": "BS",
      "postalCode": "4057", "country": "CH", "region": null
    },
    "team": [
      {
        "firstName": "Nadia", "lastName": "Keller", "phoneNumber": "+41615550110",
        "email": "nadia.keller@harborline.example", "title": "Head of IT",
        "contactPreference": {"locale": "de-ch", "disableNotifications": true}
      }
    ],
    "ids": [{"profileType": "Duns", "id": "480021973"}, {"profileType": "External", "id": "6-PQ4ZX81LM"}]
  },
  "consent": {
    "consentToToShareInfoWithOthers": true, "consentToContact": true,
    "consentToMicrosoftToContactSpecificPartners": null,
    "consentToShareReferralWithMicrosoftSellers": true
  },
  "details": {
    "notes": "Warehouse visibility project, 14 sites.", "dealValue": 84000, "currency": "CHF",
    "closingDateTime": "2026-09-30T00:00:00Z", "customerRequestedContact": null, "customerAction": null,
    "incentiveLevel": null,
    "requirements": {
      "industries": [{"id": "Travel & Transportation"}], "products": [{"id": "Azure"}],
      "services": [{"id": "IPServices(ISV)"}],
      "solutions": [
        {
          "id": "SOL-48213-KTR", "name": "Juniper Peak Fleet Insight", "type": "Name", "price": null,
          "quantity": null, "currency": null, "publisherName": "Juniper Peak Software",
          "solutionType": "3P", "closingDateTime": null
        }
      ],
      "offers": [], "salesPlays": [],
      "additionalRequirements": {
        "iot": {
          "customerLicenseAgreementNumber": null, "deviceCategory": null, "siliconType": null,
          "azureCertifiedDevice": false, "attachServices": false
        },
        "attributes": [{"type": "CustomerMarketplaceIntent", "id": "HaveNotDecided"}]
      }
    }
  },
  "team": [],
  "inviteContext": {
    "notes": "Customer asked for an ISV that covers multi-site tracking. Can you take this?",
    "assistanceRequestCode": "Unknown", "invitedMpnId": "5550142",
    "invitedBy": {"organizationId": "msft", "organizationName": "Microsoft"}
  },
  "links": {
    "relatedReferrals": {
      "uri": "https://api.partner.microsoft.com/v1.0/engagements/referrals?$filter=engagementId eq 'b7a3b0f2-6c6d-4a3a-8f6e-0f7f2d0c9a11'",
      "method": "GET"
    },
    "self": {
      "uri": "https://api.partner.microsoft.com/v1.0/engagements/referrals/0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01",
      "method": "GET"
    }
  },
  "trackingInfo": {
    "microsoftMsxId": null, "microsoftUSFedOpportunityId": null, "microsoftUSFedLeadId": null,
    "migratedPSCDealId": null, "migratedPSCPartnerDealId": null
  },
  "registrations": []
}"#;

/// Accepting.
pub(super) const PATCH_ACCEPT: &str = r#"[
  {"op": "replace", "path": "/status", "value": "Active"},
  {"op": "replace", "path": "/substatus", "value": "Accepted"}
]"#;

/// Declining.
pub(super) const PATCH_DECLINE: &str = r#"[
  {"op": "replace", "path": "/status", "value": "Closed"},
  {"op": "replace", "path": "/substatus", "value": "Declined"},
  {"op": "replace", "path": "/statusReason", "value": "Customer requirement not met"}
]"#;

/// Changing fields.
pub(super) const PATCH_FIELDS: &str = r#"[
  {"op": "replace", "path": "/details/dealValue", "value": 92500},
  {"op": "replace", "path": "/details/currency", "value": "CHF"},
  {"op": "replace", "path": "/details/closingDateTime", "value": "2026-10-31T00:00:00Z"},
  {"op": "replace", "path": "/details/notes", "value": "Scope grew to 17 sites."},
  {"op": "replace", "path": "/externalReferenceId", "value": "OPP-2026-00417"}
]"#;

/// One more team member.
pub(super) const PATCH_MEMBER: &str = r#"[
  {
    "op": "add", "path": "/team/-",
    "value": {
      "firstName": "Mina", "lastName": "Okafor", "phoneNumber": "+442075550142",
      "email": "mina.okafor@juniperpeak.example"
    }
  }
]"#;

/// Winning.
pub(super) const PATCH_WON: &str = r#"[
  {"op": "replace", "path": "/status", "value": "Closed"},
  {"op": "replace", "path": "/substatus", "value": "Won"}
]"#;

/// Losing.
pub(super) const PATCH_LOST: &str = r#"[
  {"op": "replace", "path": "/status", "value": "Closed"},
  {"op": "replace", "path": "/substatus", "value": "Lost"},
  {"op": "replace", "path": "/statusReason", "value": "Customer chose another vendor"}
]"#;

/// Registering a won deal.
pub(super) const PATCH_REGISTRATION: &str = r#"[
  {
    "op": "add", "path": "/registrations/-",
    "value": {
      "type": "AzureIPCoSell",
      "contract": {
        "value": 120000, "currency": "CHF", "startDateTime": "2026-09-01T00:00:00Z",
        "endDateTime": "2029-08-31T00:00:00Z", "signDateTime": "2026-08-20T00:00:00Z", "term": "Finite"
      },
      "solutionDetails": [
        {
          "id": "SOL-48213-KTR", "currency": "CHF", "value": 105000, "isDeployedOnAzure": true,
          "primaryDeploymentOn": "Partner", "pricingModel": "Other",
          "marketplaceTransactionDetails": {"isMarketplaceTransacted": false, "marketplaceTransactionDateTime": null}
        }
      ]
    }
  }
]"#;

/// A refusal.
pub(super) const ERROR_400: &str = r#"{
  "error": {
    "code": "invalidRequest", "message": "One or more fields are invalid.", "target": "referral",
    "innerError": {
      "code": "requiredFieldMissing",
      "message": "details.requirements.solutions must contain at least one solution."
    }
  }
}"#;

/// Without a token.
pub(super) const ERROR_401: &str = r#"{
  "error": {
    "code": "unauthenticated", "message": "The access token is missing or not valid.",
    "target": "referral"
  }
}"#;

/// Webhooks host, no second factor.
pub(super) const ERROR_401_MFA: &str = r#"{
  "code": "900421", "description": "MFA is required for this request.", "data": [],
  "source": "PartnerCenter"
}"#;

/// Without a role.
pub(super) const ERROR_403: &str = r#"{
  "error": {
    "code": "accessDenied", "message": "Caller is not allowed to use this referral.",
    "target": "referral",
    "innerError": {
      "code": "unauthorizedReferralAccess",
      "message": "The user has no referrals role for the owning location."
    }
  }
}"#;

/// Not there.
pub(super) const ERROR_404: &str = r#"{
  "error": {"code": "itemNotFound", "message": "The referral could not be found.", "target": "referral"}
}"#;

/// The other answer to an outdated version.
pub(super) const ERROR_409: &str = r#"{
  "error": {
    "code": "resourceModified", "message": "The referral changed since it was last read.",
    "target": "referral"
  }
}"#;

/// An outdated version.
pub(super) const ERROR_412: &str = r#"{
  "error": {
    "code": "preconditionFailed", "message": "The If-Match value does not equal the current eTag.",
    "target": "referral"
  }
}"#;

/// Too many validation events.
pub(super) const ERROR_429: &str =
    r#"{"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."}"#;

/// A registration.
pub(super) const REGISTER: &str = r#"{
  "WebhookUrl": "https://hooks.juniperpeak.example/partner-center/v1/events",
  "WebhookEvents": [
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
    "test-created"
  ],
  "SignatureTokenToMsSignatureHeader": false
}"#;

/// Its answer.
pub(super) const REGISTERED: &str = r#"{
  "SubscriberId": "8e2d0f5a-6b7c-4a18-9b0d-0c4f5e6a7b81",
  "WebhookUrl": "https://hooks.juniperpeak.example/partner-center/v1/events",
  "WebhookEvents": [
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
    "test-created"
  ]
}"#;

/// Reading it.
pub(super) const REGISTRATION_READ: &str = r#"{
  "WebhookUrl": "https://hooks.juniperpeak.example/partner-center/v1/events",
  "WebhookEvents": [
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
    "test-created"
  ]
}"#;

/// All event names.
pub(super) const EVENTS: &str = r#"[
  "azure-fraud-event-detected",
  "dap-admin-relationship-approved",
  "dap-admin-relationship-terminated",
  "dap-admin-relationship-terminated-by-microsoft",
  "granular-admin-access-assignment-activated",
  "granular-admin-access-assignment-created",
  "granular-admin-access-assignment-deleted",
  "granular-admin-access-assignment-updated",
  "granular-admin-relationship-activated",
  "granular-admin-relationship-approved",
  "granular-admin-relationship-expired",
  "granular-admin-relationship-terminated",
  "indirect-reseller-relationship-accepted-by-customer",
  "invoice-ready",
  "new-commerce-migration-completed",
  "new-commerce-migration-created",
  "new-commerce-migration-failed",
  "new-commerce-migration-schedule-failed",
  "referral-created",
  "referral-updated",
  "related-referral-created",
  "related-referral-updated",
  "reseller-relationship-accepted-by-customer",
  "subscription-active",
  "subscription-updated",
  "test-created",
  "usagerecords-thresholdExceeded"
]"#;

/// A delivery, compact on the wire.
pub(super) const EVENT: &str = r#"{
  "EventName": "referral-updated",
  "ResourceUri": "https://api.partnercenter.microsoft.com/engagements/v1/referrals/0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01",
  "ResourceName": "referral", "AuditUri": null,
  "ResourceChangeUtcDate": "2026-03-04T13:40:02.6612090+00:00"
}"#;

/// After a failed and a good attempt.
pub(super) const VALIDATION: &str = r#"{
  "correlationId": "5c0a6a6b-93a1-4b32-8a0f-1d9c6a2f7e77",
  "partnerId": "6d0f1f3e-2b0c-4c55-9f0e-7a1c5f3b2d10", "status": "completed",
  "callbackUrl": "https://hooks.juniperpeak.example/partner-center/v1/events",
  "results": [
    {
      "responseCode": "InternalServerError", "responseMessage": "", "systemError": false,
      "dateTimeUtc": "2026-03-01T08:00:02.1102233"
    },
    {
      "responseCode": "OK", "responseMessage": "", "systemError": false,
      "dateTimeUtc": "2026-03-01T08:01:03.4401122"
    }
  ]
}"#;
